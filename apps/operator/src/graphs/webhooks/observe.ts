import type { ReportFault } from '@glacis/graphs';
import type { Logger, Metrics } from '@glacis/observability';
import { newId } from '@glacis/runtime';

/** Counts the refused graphs by the rules that they break. */
export function observeDenials(metrics: Metrics): (codes: ReadonlySet<string>) => void {
  const denials = metrics.counter({
    name: 'glacis_operator_graph_denials_total',
    help: 'Graphs that were refused, by rule; one that breaks several counts for each of them',
    labels: ['code'],
  });
  return (codes) => {
    for (const code of codes) denials.inc({ code });
  };
}

/** What goes wrong in a rule is told by an id, under which the log has it. */
export function reportFaults(logger: Logger): ReportFault {
  return (err) => {
    const id = newId();
    logger.error({ err, id }, 'a rule failed unexpectedly');
    return id;
  };
}
