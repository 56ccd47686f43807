// How much room V8 gives to young objects while the program starts. Nearly all that is made then stays, and V8 would answer by
// giving the most it can, 48 MB, and keep it while nothing happens.
import { setFlagsFromString } from 'node:v8';

/** Keeps the room as it is until the function that it returns is called: from then on it grows with the work. */
export function keepYoungSpaceSmall(): () => void {
  setFlagsFromString('--semi-space-growth-factor=1');
  return () => setFlagsFromString('--semi-space-growth-factor=2');
}
