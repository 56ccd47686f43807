// Whether a reader wants ActivityStreams or a page (RFC 9110 §12.5.1), by weight and not by "does it accept html": the search
// of Mastodon accepts both and prefers the former.

const activityTypes = ['application/activity+json', 'application/ld+json'];

interface Range {
  type: string;
  weight: number;
}

/** True when an ActivityStreams type is named and weighs more than html; between equals the one named first. */
export function prefersActivity(accept: string | undefined): boolean {
  const ranges = readAccept(accept ?? '');
  const activity = strongest(ranges, (type) => activityTypes.includes(type));
  const html = strongest(ranges, (type) => type === 'text/html' || type === 'application/xhtml+xml');
  if (activity === null || activity.weight === 0) return false;
  if (html === null) return true;
  return (
    activity.weight > html.weight ||
    (activity.weight === html.weight && ranges.indexOf(activity) < ranges.indexOf(html))
  );
}

/** True when a page is what the reader would rather have: html named, and not less than ActivityStreams. */
export function prefersPage(accept: string | undefined): boolean {
  const html = strongest(readAccept(accept ?? ''), (type) => type === 'text/html');
  return html !== null && html.weight > 0 && !prefersActivity(accept);
}

function readAccept(accept: string): Range[] {
  return accept
    .slice(0, 1000)
    .split(',')
    .map((part) => {
      const [type = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
      const weight = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
      return { type, weight: Number.isFinite(weight) ? Math.min(Math.max(weight, 0), 1) : 0 };
    });
}

function strongest(ranges: readonly Range[], fits: (type: string) => boolean): Range | null {
  return ranges.filter(({ type }) => fits(type)).sort((a, b) => b.weight - a.weight)[0] ?? null;
}
