import { availableParallelism } from 'node:os';
import { Injectable } from '@nestjs/common';
import { Slots } from './slots.js';

/** Jobs whose agents may be made to work for create and submit at once: both wait for processes of this machine. */
@Injectable()
export class Starts extends Slots {
  constructor() {
    super(Math.max(2, availableParallelism()));
  }
}
