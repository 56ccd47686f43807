// A page of a list that is in memory as a whole. What the store can page, the store pages.

export interface Slice<T> {
  shown: T[];
  /** From 1; the last one when a later one was wanted. */
  page: number;
  pages: number;
}

export function sliceOf<T>(all: readonly T[], wanted: number, perPage: number): Slice<T> {
  const pages = Math.max(1, Math.ceil(all.length / perPage));
  const page = Math.min(wanted, pages);
  return { shown: all.slice((page - 1) * perPage, page * perPage), page, pages };
}
