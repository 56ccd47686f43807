// The pages that belong to no slice: home, about, accessibility, language, robots.txt; and, while developing, the
// styleguide. Reads what the slices publish; changes nothing but the reader's language.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { countServicesByNeed, searchServices } from '../catalogue/finder.js';
import { listServiceNews } from '../catalogue/queries.js';
import { countPublicCollectives, listPublicCollectives } from '../collectives/queries.js';
import { presentGroup } from '../groups/present.js';
import { findAnnouncements } from '../groups/queries.js';
import type { House } from '../house.js';
import { personOf, Routes } from '../http/routes.js';
import { listRules, readPeerSettings } from '../instances/queries.js';
import { readSettings } from '../instances/settings.js';
import { projectDir, viewsDir } from '../paths.js';
import { changeLanguage } from '../people/actions/profile.js';
import { presentAbout, presentHome, shownRules } from './present.js';
import { languageChoice, themeChoice, themeFile } from './schema.js';

const shownCollectives = 6;
const shownNews = 5;
const newestServices = { q: '', where: 'here', sort: 'newest', page: 1 } as const;
const yearSeconds = 31_536_000;

/** Where the code of this program can be had (AGPL-3.0 §13), as package.json tells it. */
interface Package {
  version: string;
  repository?: string | { url?: string };
}

export function siteRoutes(house: House): Routes {
  const software = readSoftware();
  const secure = house.site.baseUrl.startsWith('https:');
  return new Routes(house)
    .get('/', { access: 'public' }, async (visit) => {
      const { store, now } = visit.ctx;
      const [settings, services, collectiveCount, needs, news, collectives] = await Promise.all([
        readSettings(store),
        searchServices(store, newestServices, now),
        countPublicCollectives(store),
        countServicesByNeed(store, now),
        listServiceNews(store, 1, shownNews),
        listPublicCollectives(store, { limit: shownCollectives, status: 'ACTIVE' }),
      ]);
      const facts = {
        settings,
        serviceCount: services.all,
        findableCount: services.places.everywhere,
        collectiveCount,
        needs,
        news: news.items,
        recent: services.items,
        collectives: collectives.items,
      };
      await visit.page('home/home', presentHome(facts, visit.ctx.actor), {
        title: '',
        description: visit.t('home.description'),
        alternates: [{ type: 'application/atom+xml', href: '/changes.atom', title: visit.t('layout.nav.changes') }],
        jsonLd: webSite(house.site.baseUrl, settings.name),
      });
    })
    .get('/about', { access: 'public' }, async (visit) => {
      const { store, now } = visit.ctx;
      const [settings, services, collectiveCount, group, peerSettings] = await Promise.all([
        readSettings(store),
        searchServices(store, newestServices, now),
        countPublicCollectives(store),
        findAnnouncements(store),
        readPeerSettings(store),
      ]);
      const rules = peerSettings.publishesRules ? await listRules(store, ['block', 'limit'], shownRules + 1) : [];
      const peers = { settings: peerSettings, rules };
      const announcements = group && presentGroup(group, house.site, visit.language);
      const { host } = house.site;
      const facts = { settings, serviceCount: services.all, collectiveCount, software, host, peers, announcements };
      await visit.page('about/about', presentAbout(facts, visit.language), {
        title: visit.t('about.title'),
        nav: 'about',
      });
    })
    .get('/accessibility', { access: 'public' }, async (visit) => {
      const { contactEmail } = await readSettings(visit.ctx.store);
      await visit.page(
        'about/accessibility',
        { contactEmail, checkedOn: accessibilityCheckedOn },
        { title: visit.t('accessibility.title') },
      );
    })
    .get('/language', { access: 'public', query: languageChoice, cache: 'none' }, (visit) => {
      const { to, back } = visit.query;
      visit.res.cookie('lang', to, { path: '/', sameSite: 'lax', httpOnly: true, secure, maxAge: yearSeconds * 1000 });
      visit.redirect(back);
    })
    .post('/language', { access: 'signedIn', body: languageChoice }, async (visit) => {
      await changeLanguage(visit.ctx, personOf(visit.ctx).personId, visit.body.to);
      visit.redirect(visit.body.back);
    })
    .get('/robots.txt', { access: 'public' }, (visit) => {
      visit.res.type('text/plain').set('Cache-Control', 'public, max-age=86400').send(robots);
    });
}

/** Every partial in all its states. For those who build pages: app.ts mounts it while developing only. */
export function styleguideRoutes(house: House): Routes {
  const sample: object = JSON.parse(readFileSync(join(viewsDir, 'styleguide', 'sample.json'), 'utf8'));
  return new Routes(house)
    .get('/styleguide', { access: 'public', query: themeChoice, cache: 'none' }, async (visit) => {
      const { theme } = visit.query;
      const themes = ['system', 'light', 'dark'].map((name) => ({
        href: name === 'system' ? '/styleguide' : `/styleguide?theme=${name}`,
        key: `styleguide.theme.${name}`,
        current: name === (theme ?? 'system'),
      }));
      const title = visit.t('styleguide.title');
      await visit.page(
        'styleguide/styleguide',
        { ...sample, theme: theme ?? 'system', themes },
        { title, noIndex: true, withForm: true },
      );
    })
    .get('/styleguide/:theme.css', { access: 'public', params: themeFile, cache: 'none' }, (visit) => {
      visit.res.type('text/css').send(themeSheet(visit.params.theme));
    });
}

/** The tokens of one theme alone, taken from the one stylesheet, so that a page can be seen in either; and swatches. */
function themeSheet(theme: 'system' | 'light' | 'dark'): string {
  const css = readFileSync(join(viewsDir, 'public', 'chatiere.css'), 'utf8');
  const [light = '', dark = ''] = [...css.matchAll(/:root\s*\{[^}]*\}/g)].map(([block]) => block);
  const names = [...dark.matchAll(/--([a-z-]+):/g)].map(([, name]) => name);
  return [
    theme === 'system'
      ? ''
      : `@layer tokens { ${light} ${theme === 'dark' ? dark : ''} :root { color-scheme: ${theme} } }`,
    '.swatches { display: flex; flex-wrap: wrap; gap: 1rem; } .swatch { width: 8rem; }',
    '.swatch::before { content: ""; display: block; height: 4rem; border: 1px solid var(--hairline); border-radius: var(--arch); }',
    ...names.map((name) => `.swatch--${name}::before { background: var(--${name}); }`),
  ].join('\n');
}

/** The day on which the statement was last compared with the pages. */
const accessibilityCheckedOn = '2026-11-22';

const robots = `User-agent: *
Disallow: /admin
Disallow: /interact
Disallow: /language
Disallow: /me
Disallow: /my/
Disallow: /setup/
Disallow: /sign-in
`;

function readSoftware(): { version: string; sourceHref: string | null } {
  const { version, repository } = JSON.parse(readFileSync(join(projectDir, 'package.json'), 'utf8')) as Package;
  const address = typeof repository === 'string' ? repository : repository?.url;
  return { version, sourceHref: address?.replace(/^git\+/, '').replace(/\.git$/, '') ?? null };
}

function webSite(baseUrl: string, name: string): object {
  return {
    '@context': 'https://schema.org',
    '@type': 'WebSite',
    name,
    url: `${baseUrl}/`,
    potentialAction: {
      '@type': 'SearchAction',
      target: { '@type': 'EntryPoint', urlTemplate: `${baseUrl}/services?q={q}` },
      'query-input': 'required name=q',
    },
  };
}
