// Imported before anything else. What is loaded leaves the young generation large, and it would stay so: 26 MB of 140, in
// a process that mostly waits.
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--optimize-for-size');
