import { JOB_STATES, labelOf, mayFollow, RUNNING_STATES } from './state.js';

describe('jobs.md 4: states and labels', () => {
  it('shows the last label of the attempt while it fails or is cancelled', () => {
    expect(labelOf('failing', 'inputs_ready')).toBe('Finished TVA Core Deployment');
    expect(labelOf('cancelling', 'submitted')).toBe('Submitted');
    expect(labelOf('validating', null)).toBeNull();
  });

  it('never lets a label fall within an attempt', () => {
    for (const [at, to] of RUNNING_STATES.entries()) {
      const later = RUNNING_STATES.slice(at);
      expect(later.some((from) => mayFollow(from, to))).toBe(false);
    }
  });

  it('leaves success for nothing, and every other state for something', () => {
    const stays = JOB_STATES.filter((from) => !JOB_STATES.some((to) => mayFollow(from, to)));
    expect(stays).toEqual(['success']);
  });

  it('does not end in success once a cancel is accepted', () => {
    expect(JOB_STATES.filter((to) => mayFollow('cancelling', to))).toEqual(['cancelled']);
  });
});
