// Where a hoster's members keep its page: overview, profile, logo, settings. Forms call actions; nothing is decided here.
import { listServicesOf } from '../../catalogue/queries.js';
import type { Language } from '../../context.js';
import type { FormState } from '../../http/form.js';
import { personOf, type Routes, type Visit } from '../../http/routes.js';
import { countPublicPosts } from '../../posts/queries.js';
import { maxImageBytes } from '../../uploads/schema.js';
import {
  changeSettings,
  createCollective,
  deleteCollective,
  publishCollective,
  removeLogo,
  restoreCollective,
  setLogo,
  setStatus,
  unpublishCollective,
  updateProfile,
} from '../actions.js';
import {
  editPath,
  fediverseName,
  fieldLabels,
  followerOptions,
  legalFormOptions,
  logoPath,
  nameIn,
  presentCard,
  presentEditFrame,
  presentMissing,
  presentProfileForm,
  presentStatus,
  profileValues,
  statusOptions,
} from '../present.js';
import { enterCollective, listCollectivesOf } from '../queries.js';
import { checkMayCreateCollective, checkMayManageCollective, isAdministrator } from '../rules.js';
import {
  type Collective,
  deletionShape,
  idParams,
  newCollectiveShape,
  profileForm,
  settingsShape,
  statusShape,
} from '../schema.js';

type IdVisit = Visit<{ id: string }, unknown, unknown>;

const noForm: FormState = { values: {}, errors: [] };

export function editPages(routes: Routes): void {
  const { house } = routes;

  routes.get('/my/collectives', { access: 'signedIn' }, async (visit) => {
    const mine = await listCollectivesOf(house.store, personOf(visit.ctx).personId);
    const model = { items: mine.map(presentCard), can: { create: isAdministrator(visit.ctx.actor) } };
    await visit.page('collectives/mine', model, { title: visit.t('collectives.mine.title'), nav: 'mine' });
  });

  const showNew = async (visit: Visit<unknown, unknown, unknown>, form: FormState) => {
    checkMayCreateCollective(visit.ctx.actor);
    const model = { form, labels: fieldLabels(form.errors), legalFormOptions };
    await visit.page('collectives/new', model, { title: visit.t('collectives.new.title'), nav: 'mine' });
  };
  routes.get('/my/collectives/new', { access: 'signedIn' }, (visit) =>
    showNew(visit, { values: { legalForm: 'ASSOCIATION' }, errors: [] }),
  );
  routes.post(
    '/my/collectives/new',
    { access: 'signedIn', body: newCollectiveShape, retry: showNew },
    async (visit) => {
      const collective = await createCollective(visit.ctx, visit.body);
      visit.redirect(editPath(collective), { key: 'collectives.new.done' });
    },
  );

  routes.get('/my/collectives/:id', { access: 'signedIn', params: idParams }, (visit) => showOverview(visit, noForm));
  routes.post(
    '/my/collectives/:id/status',
    { access: 'signedIn', params: idParams, body: statusShape, retry: showOverview },
    async (visit) => {
      await setStatus(visit.ctx, visit.params.id, visit.body);
      visit.redirect(`/my/collectives/${visit.params.id}`, { key: 'collectives.status.done' });
    },
  );
  routes.post('/my/collectives/:id/publish', { access: 'signedIn', params: idParams }, async (visit) => {
    const collective = await publishCollective(visit.ctx, visit.params.id);
    visit.redirect(editPath(collective), { key: 'collectives.publish.done' });
  });
  routes.post('/my/collectives/:id/unpublish', { access: 'signedIn', params: idParams }, async (visit) => {
    const collective = await unpublishCollective(visit.ctx, visit.params.id);
    visit.redirect(editPath(collective), { key: 'collectives.unpublish.done' });
  });

  routes.get('/my/collectives/:id/profile', { access: 'signedIn', params: idParams }, async (visit) => {
    const collective = await enterCollective(visit.ctx, visit.params.id);
    await showProfile(visit, { values: profileValues(collective.profile), errors: [] });
  });
  routes.post(
    '/my/collectives/:id/profile',
    { access: 'signedIn', params: idParams, body: profileForm, retry: showProfile },
    async (visit) => {
      const { version, ...profile } = visit.body;
      const collective = await updateProfile(visit.ctx, visit.params.id, { version, profile });
      visit.redirect(editPath(collective), { key: 'collectives.profile.done' });
    },
  );

  routes.get('/my/collectives/:id/logo', { access: 'signedIn', params: idParams }, (visit) => showLogo(visit, noForm));
  routes.post(
    '/my/collectives/:id/logo',
    { access: 'signedIn', params: idParams, file: { field: 'logo', maxBytes: maxImageBytes }, retry: showLogo },
    async (visit) => {
      await setLogo(visit.ctx, visit.params.id, visit.file?.bytes ?? Buffer.alloc(0));
      visit.redirect(`/my/collectives/${visit.params.id}/logo`, { key: 'collectives.logo.done' });
    },
  );
  routes.post('/my/collectives/:id/logo/remove', { access: 'signedIn', params: idParams }, async (visit) => {
    const collective = await removeLogo(visit.ctx, visit.params.id);
    visit.redirect(`${editPath(collective)}/logo`, { key: 'collectives.logo.removed' });
  });

  routes.get('/my/collectives/:id/settings', { access: 'signedIn', params: idParams }, (visit) =>
    showSettings(visit, noForm),
  );
  routes.post(
    '/my/collectives/:id/settings',
    { access: 'signedIn', params: idParams, body: settingsShape, retry: showSettings },
    async (visit) => {
      const collective = await changeSettings(visit.ctx, visit.params.id, visit.body);
      visit.redirect(`${editPath(collective)}/settings`, { key: 'collectives.settings.done' });
    },
  );
  routes.post(
    '/my/collectives/:id/delete',
    { access: 'signedIn', params: idParams, body: deletionShape, retry: showSettings },
    async (visit) => {
      const collective = await deleteCollective(visit.ctx, visit.params.id, visit.body.handle);
      visit.redirect(editPath(collective), { key: 'collectives.delete.done' });
    },
  );
  routes.post('/my/collectives/:id/restore', { access: 'signedIn', params: idParams }, async (visit) => {
    const collective = await restoreCollective(visit.ctx, visit.params.id);
    visit.redirect(editPath(collective), { key: 'collectives.restore.done' });
  });

  async function showOverview(visit: IdVisit, form: FormState): Promise<void> {
    const collective = await enterCollective(visit.ctx, visit.params.id);
    const { profile, version } = collective;
    const [services, posts] = await Promise.all([
      listServicesOf(house.store, collective._id, { which: 'own' }),
      countPublicPosts(house.store, collective._id),
    ]);
    const stored = { status: profile.status, statusDescription: profile.statusDescription, endDate: profile.endDate };
    const model = {
      frame: presentEditFrame(visit.ctx.actor, collective, 'overview', visit.language),
      missing: presentMissing(collective),
      state: presentStatus(profile.status),
      counts: { services: services.length, posts, members: collective.members.length },
      form: { values: form.errors.length > 0 ? form.values : stored, errors: form.errors },
      labels: fieldLabels(form.errors),
      statusOptions,
      version,
    };
    await visit.page('collectives/overview', model, pageOptions(collective, visit.language));
  }

  async function showProfile(visit: IdVisit, form: FormState): Promise<void> {
    const collective = await enterCollective(visit.ctx, visit.params.id);
    const model = {
      frame: presentEditFrame(visit.ctx.actor, collective, 'profile', visit.language),
      ...presentProfileForm(form, collective.version),
      legalFormOptions,
      statusOptions,
    };
    await visit.page('collectives/profile', model, pageOptions(collective, visit.language));
  }

  async function showLogo(visit: IdVisit, form: FormState): Promise<void> {
    const collective = await enterCollective(visit.ctx, visit.params.id);
    const model = {
      frame: presentEditFrame(visit.ctx.actor, collective, 'logo', visit.language),
      form,
      logo: logoPath(collective),
      name: nameIn(collective, visit.language),
    };
    await visit.page('collectives/logo', model, pageOptions(collective, visit.language));
  }

  async function showSettings(visit: IdVisit, form: FormState): Promise<void> {
    const collective = await enterCollective(visit.ctx, visit.params.id);
    checkMayManageCollective(visit.ctx.actor, collective);
    const model = {
      frame: presentEditFrame(visit.ctx.actor, collective, 'settings', visit.language),
      form: { values: { acceptsFollowers: collective.acceptsFollowers, ...form.values }, errors: form.errors },
      followerOptions,
      handle: collective.handle,
      fediverseName: fediverseName(collective, house.site),
      version: collective.version,
    };
    await visit.page('collectives/settings', model, pageOptions(collective, visit.language));
  }
}

export function pageOptions(collective: Collective, language: Language) {
  return { title: nameIn(collective, language), nav: 'mine' };
}
