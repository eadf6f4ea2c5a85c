/** No case may bring a checker down: whatever is thrown ends the run with its stack. */
export function unexpected(error) {
  throw error;
}
