// Reports as plain data for templates. What visitors and servers wrote is shown as text, addresses elsewhere as links.
import { servicePath } from '../catalogue/present.js';
import { nameIn, pagePath, safeHref } from '../collectives/present.js';
import type { Language, Site } from '../context.js';
import { groupPostPath } from '../groups/present.js';
import { ownerName, postPath } from '../posts/present.js';
import { textIn } from '../shapes.js';
import type { Found } from './queries.js';
import { type Outcome, outcomes, type Report, type ReportStep, reasons } from './schema.js';

const excerptLength = 600;

/** A thing that is reported: what it is, its name and text as far as we hold them, where it is. */
export function presentFound(found: Found, address: string, site: Site, language: Language) {
  const kind = `moderation.kind.${found.kind}`;
  const blank = {
    kind,
    name: '',
    excerpt: '',
    href: localHref(address, site),
    isElsewhere: false,
    postId: null,
    gone: false,
  };
  switch (found.kind) {
    case 'collective': {
      const { collective } = found;
      return {
        ...blank,
        name: nameIn(collective, language),
        href: pagePath(collective),
        gone: collective.deletedAt !== null,
      };
    }
    case 'person':
      return { ...blank, name: found.person.displayName, href: `/@${found.person.handle}` };
    case 'service': {
      const { profile, deletedAt } = found.service;
      return {
        ...blank,
        name: `${textIn(profile.name, language)} · ${nameIn(found.collective, language)}`,
        excerpt: cut(textIn(profile.description, language)),
        href: servicePath(found.service),
        gone: deletedAt !== null,
      };
    }
    case 'post': {
      const { post, owner } = found;
      const gone = post.deletedAt !== null;
      const excerpt = cut(textIn(post.text, language));
      return {
        ...blank,
        name: ownerName(owner, language),
        excerpt,
        gone,
        href: postPath(owner, post),
        postId: gone ? null : post._id,
      };
    }
    case 'groupPost':
    case 'remotePost': {
      const { post, author } = found;
      const isHere = found.kind === 'groupPost';
      const href = isHere ? groupPostPath(found.group, found) : (safeHref(post.url) ?? safeHref(post.iri));
      const excerpt = cut(plain([post.title, post.content].filter(Boolean).join('\n'), post.isHtml));
      return {
        ...blank,
        name: author ? `@${author.handle}` : '',
        excerpt,
        href,
        isElsewhere: !isHere,
        gone: post.deletedAt !== null,
      };
    }
    case 'remoteActor': {
      const { actor } = found;
      return {
        ...blank,
        name: `@${actor.handle}`,
        href: safeHref(actor.url) ?? safeHref(actor._id),
        isElsewhere: true,
        gone: actor.goneAt !== null,
      };
    }
    case 'unknown':
      return { ...blank, name: address, isElsewhere: blank.href === null };
  }
}

function localHref(address: string, site: Site): string | null {
  const url = URL.canParse(address, site.baseUrl) ? new URL(address, site.baseUrl) : null;
  // One slash at its beginning: two would lead to another server.
  return url?.origin === site.baseUrl ? url.pathname.replace(/^[/\\]+/, '/') : null;
}

/** The words of HTML from elsewhere, for reading only: the template escapes them. */
function plain(text: string, isHtml: boolean): string {
  return isHtml ? text.replace(/<\/(p|li|h\d|blockquote)>|<br\s*\/?>/gi, '\n').replace(/<[^>]*>/g, '') : text;
}

function cut(text: string): string {
  const words = text.trim();
  return words.length <= excerptLength ? words : `${words.slice(0, excerptLength).replace(/\s+\S*$/, '')} …`;
}

export const reasonOptions = reasons.map((value) => ({ value, key: `moderation.reason.${value}` }));
export const outcomeOptions = outcomes.map((value) => ({
  value,
  key: `moderation.outcome.${value}`,
  hint: `moderation.outcome.${value}.hint`,
}));

export const reportsPath = '/admin/reports';

export function presentReportLine(
  report: Report,
  first: ReturnType<typeof presentFound>,
  names: ReadonlyMap<string, string>,
) {
  return {
    href: `${reportsPath}/${report._id}`,
    thing: { kind: first.kind, name: first.name },
    more: report.objects.length - 1,
    ...presentSource(report, names),
    reason: reasonKey(report),
    createdAt: report.createdAt,
    assigned: report.assignedTo === null ? null : (names.get(report.assignedTo) ?? ''),
    outcome: outcomeKey(report.outcome),
  };
}

export function presentReport(
  report: Report,
  things: ReturnType<typeof presentFound>[],
  names: ReadonlyMap<string, string>,
  moderatorId: string,
) {
  const base = `${reportsPath}/${report._id}`;
  return {
    ...presentSource(report, names),
    base,
    version: report.version,
    isOpen: report.status === 'open',
    things,
    reason: reasonKey(report),
    comment: report.comment,
    contact: report.contact,
    tellsTheirs: report.tellsTheirs,
    isAboutUs: report.about === null,
    createdAt: report.createdAt,
    closedAt: report.closedAt,
    outcome: outcomeKey(report.outcome),
    isMine: report.assignedTo === moderatorId,
    assigned: report.assignedTo === null ? null : (names.get(report.assignedTo) ?? ''),
    steps: report.steps.map((step) => presentStep(step, names)),
  };
}

function presentSource({ source, host, personId }: Report, names: ReadonlyMap<string, string>) {
  return {
    source: `moderation.source.${source}`,
    host,
    reporter: personId === null ? '' : (names.get(personId) ?? ''),
  };
}

function presentStep(step: ReportStep, names: ReadonlyMap<string, string>) {
  return {
    what: `moderation.step.${step.what}`,
    outcome: outcomeKey(step.outcome),
    by: names.get(step.by) ?? '',
    at: step.at,
    text: step.text,
  };
}

function reasonKey(report: Pick<Report, 'reason'>): string {
  return `moderation.reason.${report.reason ?? 'none'}`;
}

function outcomeKey(outcome: Outcome | null): string | null {
  return outcome === null ? null : `moderation.outcome.${outcome}`;
}
