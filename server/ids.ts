// Identifiers of our own documents: lower case, ordered by time, not guessable in sequence.
import { v7 } from 'uuid';

/** A new document key: UUID version 7 (RFC 9562 §5.7), lower case, sorts by creation time. */
export function newId(): string {
  return v7();
}
