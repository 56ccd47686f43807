// The plan of an import, from what is stored.
import type { Collective } from '../../collectives/schema.js';
import type { Context, Language, Site } from '../../context.js';
import type { ReceivedFile } from '../crawl.js';
import { type ImportPlan, planImport } from '../importPlan.js';
import { servicesOf } from '../queries.js';
import type { ImportDraft } from '../schema.js';

/** What these files would do to the collective as it is now. */
export async function planFor(
  ctx: Pick<Context, 'store' | 'site'>,
  collective: Collective,
  files: readonly ReceivedFile[],
  choices: Pick<ImportDraft, 'corrections' | 'skipped' | 'failures'>,
): Promise<ImportPlan> {
  const services = await servicesOf(ctx.store).find({ collectiveId: collective._id }).toArray();
  const { corrections, skipped, failures } = choices;
  const language = languageOf(collective, ctx.site);
  return planImport({ collective, services, files, corrections, skipped, failures, language, site: ctx.site });
}

/** The language of a hoster's own texts, when nothing says it: its first one if we know it, else the instance's. */
function languageOf(collective: Collective, site: Site): Language {
  const first = collective.profile.languages.find((tag) => tag === 'fr' || tag === 'en');
  return first === 'fr' || first === 'en' ? first : site.defaultLanguage;
}
