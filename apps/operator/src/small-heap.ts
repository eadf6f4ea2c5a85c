// Imported before anything else. What is loaded leaves the young generation large, and it would stay so: 26 MB of 140, in
// a process that mostly waits. Webhooks do not wait: what a review of a large graph leaves would be collected in the middle
// of the next one (p99 of 200 components 30 ms in place of 13).
import { keepHeapSmall } from './heap.js';

const answers = process.argv.slice(2).some((argument) => /(validator|mutator)$/.test(argument));
if (!answers) keepHeapSmall();
