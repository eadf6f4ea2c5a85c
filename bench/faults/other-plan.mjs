// A coordinator that tells one party another rule than the others, so that this one compiles another plan.
import { rowsOf } from '../support/job-service.mjs';

/** Party 1 reads that groups of six are shown, where the others read five. */
const tellOtherwise = `
  CREATE FUNCTION tell_otherwise() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.step = 'deploy' AND (SELECT party FROM agents WHERE id = NEW.agent_id) = 1 THEN
      NEW.body = replace(NEW.body::text, '"minGroupSize":5', '"minGroupSize":6')::json;
    END IF;
    RETURN NEW;
  END $$;
  CREATE TRIGGER tell_otherwise BEFORE INSERT ON agent_instructions
    FOR EACH ROW EXECUTE FUNCTION tell_otherwise()`;

/** What the parties report of their plans is made the same, so that nobody but the parties themselves can notice. */
const hide = `
  CREATE FUNCTION hide_plans() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.step = 'deploy' AND NEW.result ? 'plan_hash' THEN
      NEW.result = jsonb_set(NEW.result, '{plan_hash}', to_jsonb('sha256:' || repeat('0', 64)));
    END IF;
    RETURN NEW;
  END $$;
  CREATE TRIGGER hide_plans BEFORE UPDATE ON agent_instructions
    FOR EACH ROW EXECUTE FUNCTION hide_plans()`;

/** While `work` goes on, party 1 of every job has another plan. @param hidden from the coordinator's own comparison */
export async function withOtherPlan(place, hidden, work) {
  await rowsOf(place, tellOtherwise);
  if (hidden) await rowsOf(place, hide);
  try {
    return await work();
  } finally {
    await rowsOf(
      place,
      'DROP FUNCTION tell_otherwise CASCADE; DROP FUNCTION IF EXISTS hide_plans CASCADE',
    );
  }
}
