import { caRotation } from './ca-rotation.js';

describe('rotation of the CA with live clients', () => {
  caRotation(20);
});
