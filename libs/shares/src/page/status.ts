import type { View } from './flow.js';

/** What the page says below the file. */
export function statusOf(view: View): string[] {
  switch (view.step) {
    case 'reading':
      return ['Reading the job.'];
    case 'read':
      return [
        'Choose your file. It is checked here; nothing of it leaves this page before you approve.',
      ];
    case 'fits':
      return [`${view.rows} rows fit the schema.`];
    case 'unfit':
      return view.findings.map(({ row, column, message }) =>
        [row && `row ${row}`, column && `column ${column}`, message].filter(Boolean).join(', '),
      );
    case 'sharing':
      return [view.text];
    case 'done':
      return [
        `Shared as upload set ${view.set}. You may close this page.`,
        ...view.files.map(({ sha256 }, party) => `party ${party}: ${sha256}`),
      ];
    default:
      return [view.message];
  }
}
