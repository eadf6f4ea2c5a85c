// `npm run faults`: breaks what programs stand on while they are at work, and counts what was lost or done twice. Each
// prints one line `name value unit` per figure, and exits 1 on a breach.
//   npm run faults -- [streams] [seed] [part of a title]   the suite apart: brokers, database, disk, replicas, network
//   npm run faults -- rolling …                            the same, every replica restarted in turn
//   npm run faults -- kube [seed] [part of a title]        two operators: API server, watches, Lease, clocks
//   npm run faults -- graphs [seed] [points]               the operator killed at moments of a graph's life
//   npm run faults -- jobs [seed] [points] [part of a name]  the jobs service and its parties killed in every state of a job
const [first] = process.argv.slice(2);
const own = { kube: './faults/kube.mjs', graphs: './faults/graphs.mjs', jobs: './faults/jobs.mjs' };
await import(own[first] ?? './faults/apart.mjs');
