/** The settings cannot be served; the message says what to change. Ends the start. */
export class StartRefusedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StartRefusedError';
  }
}
