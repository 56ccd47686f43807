// ROSEAU, the network that does not exist: hosters and services for the demo and the tests, all under .example.
// Texts and figures only; nothing here writes to a store. Numbers that tests rely on: members 8, services 12.

import type { MetricsSeries, Need, ServiceProfile } from '../server/catalogue/schema.js';
import { type CollectiveProfile, emptyProfile } from '../server/collectives/schema.js';
import {
  CHATONSINFOS_PROTOCOL,
  type ChatonsFederation,
  type ChatonsMetrics,
  type ChatonsOrganization,
  type ChatonsService,
  type Links,
  type Sub,
} from '../server/formats/chatonsinfos/model.js';
import { writeChatonsInfos } from '../server/formats/chatonsinfos/write.js';
import type { LocalText } from '../server/shapes.js';

export interface RoseauService {
  slug: string;
  profile: ServiceProfile;
  metrics: MetricsSeries[];
}

export interface RoseauMember {
  /** Handle, key in files and first word of its domain. */
  id: RoseauMemberId;
  profile: CollectiveProfile;
  services: RoseauService[];
}

export type RoseauMemberId =
  | 'ecluse'
  | 'tuilelierre'
  | 'octetsmarais'
  | 'nuagecausses'
  | 'serrecommune'
  | 'fournil'
  | 'gouttiere'
  | 'ruisseau';

export const roseau = {
  slug: 'roseau',
  name: {
    fr: 'ROSEAU, Réseau Ouvert de Services Éthiques, Autonomes et Unis',
    en: 'ROSEAU, Open Network of Ethical, Autonomous and United Services',
  },
  description: {
    fr: 'Des hébergeurs à taille humaine qui s’entraident et répondent les uns des autres.',
    en: 'Hosters on a human scale who help each other and vouch for each other.',
  },
  website: 'https://roseau.example/',
  contactEmail: 'contact@roseau.example',
  /** What the network calls a round of applications, a duty shift and a member. */
  words: {
    round: { fr: 'pousse', en: 'shoot' },
    shift: { fr: 'permanence du jeudi', en: 'Thursday shift' },
    member: { fr: 'tige', en: 'stem' },
  },
} as const;

const both = (fr: string, en: string): LocalText => ({ fr, en });

type MemberFacts = Pick<
  CollectiveProfile,
  'name' | 'tagline' | 'description' | 'legalForm' | 'startDate' | 'guarantees'
> &
  Partial<Omit<CollectiveProfile, 'place'>> & {
    place: [town: string, country: 'FR' | 'BE' | 'CH', latitude: number, longitude: number];
    since: string;
    left?: string;
  };

const COUNTRIES = { FR: 'France', BE: 'Belgique', CH: 'Suisse' } as const;

function member(id: RoseauMemberId, facts: MemberFacts, services: RoseauService[]): RoseauMember {
  const { place, since, left, ...rest } = facts;
  const [address, countryCode, latitude, longitude] = place;
  const home = `https://${id}.example`;
  const status = facts.status ?? 'ACTIVE';
  const membership = {
    key: roseau.slug,
    startDate: since,
    endDate: left ?? null,
    status,
    statusDescription: facts.statusDescription?.fr ?? '',
  };
  const profile: CollectiveProfile = {
    ...emptyProfile(),
    website: `${home}/`,
    contactUrl: `${home}/contact`,
    contactEmail: `bonjour@${id}.example`,
    legalUrl: `${home}/conditions`,
    technicalGuideUrl: `${home}/technique`,
    userGuideUrl: `${home}/aide`,
    privacyUrl: `${home}/vie-privee`,
    languages: ['fr'],
    memberOf: [membership],
    ...rest,
    place: { address, countryCode, countryName: COUNTRIES[countryCode], latitude, longitude },
  };
  return { id, profile, services };
}

interface ServiceFacts extends Pick<ServiceProfile, 'name' | 'description' | 'startDate' | 'registration' | 'load'> {
  at: string;
  needs: Need[];
  status?: ServiceProfile['status'];
  statusDescription?: LocalText;
  priceNote: LocalText;
  limits: LocalText;
  languages: string[];
  install: ServiceProfile['installType'];
  software: [name: string, version: string, licence: string, website: string, source: string];
  modules?: string[];
  host: ServiceProfile['host'];
  /** January to June 2026. */
  visits: (number | null)[];
}

function service(slug: string, facts: ServiceFacts): RoseauService {
  const [name, version, licenseName, website, sourceUrl] = facts.software;
  const address = new URL(`https://${facts.at}/`);
  const home = `https://${address.hostname.split('.').slice(-2).join('.')}`;
  const profile: ServiceProfile = {
    name: facts.name,
    description: facts.description,
    website: address.href,
    logoUrl: null,
    legalUrl: `${home}/conditions`,
    technicalGuideUrl: `${home}/technique`,
    userGuideUrl: `${home}/aide/${slug}`,
    contactUrl: `${home}/contact`,
    contactEmail: `aide@${address.hostname.split('.').slice(-2).join('.')}`,
    startDate: facts.startDate,
    endDate: null,
    status: facts.status ?? 'OK',
    statusDescription: facts.statusDescription ?? both('', ''),
    registration: facts.registration,
    load: facts.load,
    installType: facts.install,
    needs: facts.needs,
    priceNote: facts.priceNote,
    limits: facts.limits,
    languages: facts.languages,
    software: {
      name,
      website,
      licenseName,
      licenseUrl: /\s/.test(licenseName) ? null : `https://spdx.org/licenses/${licenseName}.html`,
      version,
      sourceUrl,
      modules: facts.modules ?? [],
    },
    host: facts.host,
  };
  return { slug, profile, metrics: [{ path: 'http.visits', year: 2026, step: 'months', values: facts.visits }] };
}

const baieOrleans: ServiceProfile['host'] = {
  name: 'L’Écluse Libre',
  description:
    'Deux serveurs qui nous appartiennent, dans une baie louée à Orléans. Copie chiffrée chaque nuit à Niort, chez Octets du Marais.',
  serverType: 'VIRTUAL',
  distribution: 'Debian 12',
  providerType: 'HOSTEDBAY',
  hypervisor: 'KVM',
  countryName: 'France',
  countryCode: 'FR',
};

const serveurToulouse: ServiceProfile['host'] = {
  name: 'Tuile & Lierre',
  description:
    'Machines virtuelles sur un serveur dédié loué à Toulouse. Copie chiffrée chaque nuit dans nos locaux à Saint-Girons.',
  serverType: 'VIRTUAL',
  distribution: 'Debian 12',
  providerType: 'HOSTEDSERVER',
  hypervisor: 'Proxmox VE',
  countryName: 'France',
  countryCode: 'FR',
};

const localNiort: ServiceProfile['host'] = {
  name: 'Octets du Marais',
  description:
    'Trois ordinateurs récupérés et remis en état, dans le local de l’association. Onduleur de vingt minutes, fibre grand public. Copie chaque semaine à Orléans, chez L’Écluse Libre.',
  serverType: 'PHYSICAL',
  distribution: 'Debian 12',
  providerType: 'HOME',
  hypervisor: '',
  countryName: 'France',
  countryCode: 'FR',
};

const baieNamur: ServiceProfile['host'] = {
  name: 'Serre Commune',
  description:
    'Un serveur à nous dans une salle associative à Namur, et une copie chiffrée chaque nuit à Liège. Dernier essai de restauration : avril 2026.',
  serverType: 'VIRTUAL',
  distribution: 'Debian 12',
  providerType: 'HOSTEDBAY',
  hypervisor: 'KVM',
  countryName: 'Belgique',
  countryCode: 'BE',
};

const grenierRoubaix: ServiceProfile['host'] = {
  name: 'Collectif Gouttière',
  description:
    'Deux nano-ordinateurs dans un grenier, branchés sur une batterie et un panneau solaire. Copie chaque nuit sur un disque chez une voisine.',
  serverType: 'NANO',
  distribution: 'YunoHost 12',
  providerType: 'HOME',
  hypervisor: '',
  countryName: 'France',
  countryCode: 'FR',
};

export const roseauMembers: readonly RoseauMember[] = [
  member(
    'ecluse',
    {
      name: both('L’Écluse Libre', 'L’Écluse Libre'),
      tagline: both(
        'Services libres pour les associations du canal',
        'Free services for the associations of the canal',
      ),
      description: both(
        'Nous sommes une association de Montargis. Quatre bénévoles tiennent les machines, et environ 310 personnes utilisent nos services. Nous aidons surtout les petites associations à quitter les grandes plateformes, une étape à la fois.\n\nUne permanence a lieu le premier samedi du mois à la médiathèque : venez avec vos questions.',
        'We are an association in Montargis. Four volunteers look after the machines, and some 310 people use our services. Above all we help small associations leave the big platforms, one step at a time.\n\nWe are at the library on the first Saturday of the month: come with your questions.',
      ),
      legalForm: 'ASSOCIATION',
      startDate: '2019-10-05',
      place: ['Montargis', 'FR', 47.998, 2.733],
      since: '2024-05-12',
      socialNetworks: [{ key: 'mastodon', url: 'https://social.ecluse.example/@ecluse' }],
      chatRooms: [{ key: 'matrix', url: 'matrix:r/ecluse:ecluse.example' }],
      funding: [{ key: 'helloasso', url: 'https://dons.ecluse.example/' }],
      guarantees: {
        backupPolicy: both(
          'Copie chiffrée chaque nuit hors site, gardée trente jours. Restauration essayée deux fois par an.',
          'Encrypted off-site copy every night, kept for thirty days. Restore tried twice a year.',
        ),
        othersWithAccess: both(
          'Personne d’autre que nos quatre bénévoles. La salle peut couper le courant, pas lire les disques.',
          'Nobody but our four volunteers. The data centre can cut the power, not read the disks.',
        ),
        noticeDays: 180,
      },
    },
    [
      service('pads', {
        at: 'pads.ecluse.example',
        name: both('Pads de l’Écluse', 'Écluse Pads'),
        description: both(
          'Écrire un texte à plusieurs, en même temps, sans compte. Ouvrez un pad, partagez son adresse, c’est tout.',
          'Write a text together, at the same time, without an account. Open a pad, share its address, that is all.',
        ),
        startDate: '2024-06-01',
        registration: 'None',
        load: 'OPEN',
        needs: ['write'],
        priceNote: both('Gratuit. Un don aide à payer la baie.', 'Free of charge. A gift helps pay for the rack.'),
        limits: both(
          'Un pad que personne n’ouvre pendant un an est effacé. Un rappel y est affiché un mois avant.',
          'A pad that nobody opens for a year is deleted. A reminder appears in it a month before.',
        ),
        languages: ['fr', 'en', 'de', 'es'],
        install: 'PACKAGE',
        software: [
          'Etherpad',
          '2.2.7',
          'Apache-2.0',
          'https://etherpad.org/',
          'https://github.com/ether/etherpad-lite',
        ],
        modules: ['ep_comments_page', 'ep_headings2'],
        host: baieOrleans,
        visits: [820, 910, 1004, 990, 1120, 1180],
      }),
      service('nuage', {
        at: 'nuage.ecluse.example',
        name: both('Nuage de l’Écluse', 'Écluse Cloud'),
        description: both(
          'Fichiers, agendas et contacts pour les associations adhérentes, synchronisés avec vos téléphones et ordinateurs.',
          'Files, calendars and contacts for member associations, in step with your phones and computers.',
        ),
        startDate: '2024-09-15',
        registration: 'Member',
        load: 'FULL',
        needs: ['files', 'calendar'],
        priceNote: both(
          'Adhésion de 15 à 40 € par an et par association, au choix.',
          'Membership from 15 to 40 € a year for each association, as you choose.',
        ),
        limits: both(
          '20 Go par association. Complet depuis mars : nous ouvrirons vingt places avec le prochain disque.',
          '20 GB for each association. Full since March: twenty places will open with the next disk.',
        ),
        languages: ['fr', 'en'],
        install: 'ARCHIVE',
        software: [
          'Nextcloud',
          '31.0.5',
          'AGPL-3.0-or-later',
          'https://nextcloud.com/',
          'https://github.com/nextcloud/server',
        ],
        modules: ['calendar', 'contacts', 'deck'],
        host: baieOrleans,
        visits: [140, 150, 151, 160, 162, 170],
      }),
    ],
  ),
  member(
    'tuilelierre',
    {
      name: both('Tuile & Lierre', 'Tuile & Lierre'),
      tagline: both('Courriel et sites, en coopérative', 'Mail and websites, as a co-operative'),
      description: both(
        'Coopérative de trois salariées et salariés à Saint-Girons. Nous hébergeons le courriel et les sites d’artisans, de fermes et d’associations d’Ariège. Une personne répond au téléphone les jours ouvrés.',
        'A co-operative of three in Saint-Girons. We host mail and websites for craftspeople, farms and associations of the Ariège. A person answers the phone on working days.',
      ),
      legalForm: 'COOPERATIVE',
      startDate: '2022-11-14',
      place: ['Saint-Girons', 'FR', 42.985, 1.146],
      since: '2024-05-12',
      languages: ['fr', 'oc'],
      socialNetworks: [{ key: 'mastodon', url: 'https://social.tuilelierre.example/@tuilelierre' }],
      guarantees: {
        backupPolicy: both(
          'Copie chiffrée chaque nuit à Saint-Girons, gardée soixante jours. Restauration essayée chaque trimestre.',
          'Encrypted copy to Saint-Girons every night, kept for sixty days. Restore tried every quarter.',
        ),
        othersWithAccess: both(
          'Le loueur du serveur peut intervenir sur la machine. Les disques sont chiffrés.',
          'The company that rents out the server can touch the machine. The disks are encrypted.',
        ),
        noticeDays: 365,
      },
    },
    [
      service('courrier', {
        at: 'courrier.tuilelierre.example',
        name: both('Courrier Tuile', 'Tuile Mail'),
        description: both(
          'Boîtes aux lettres à votre nom de domaine, avec webmail, agenda partagé et reprise de vos anciens messages.',
          'Mailboxes at your own domain, with webmail, a shared calendar and your old messages moved over.',
        ),
        startDate: '2023-02-01',
        registration: 'Client',
        load: 'OPEN',
        needs: ['mail', 'calendar'],
        priceNote: both(
          '2,50 € par mois et par boîte. Moitié prix pour les associations sans personne salariée.',
          '2.50 € a month for each mailbox. Half price for associations without employees.',
        ),
        limits: both('10 Go par boîte, 500 envois par jour.', '10 GB for each mailbox, 500 messages sent a day.'),
        languages: ['fr', 'en', 'oc'],
        install: 'DISTRIBUTION',
        software: [
          'Dovecot + Postfix',
          '2.3.19 + 3.7.11',
          'MIT AND LGPL-2.1-only AND EPL-2.0',
          'https://www.dovecot.org/',
          'https://github.com/dovecot/core',
        ],
        host: serveurToulouse,
        visits: [95, 95, 97, 99, 101, 104],
      }),
      service('sites', {
        at: 'sites.tuilelierre.example',
        name: both('Sites Lierre', 'Lierre Sites'),
        description: both(
          'Un site que vous modifiez sans nous appeler. Nous faisons les mises à jour, les copies et la première mise en page.',
          'A website that you can change without calling us. We do the updates, the copies and the first layout.',
        ),
        startDate: '2023-02-01',
        registration: 'Client',
        load: 'OPEN',
        needs: ['website', 'publish'],
        status: 'WARNING',
        statusDescription: both(
          'Déménagement vers le nouveau serveur jusqu’au 15 juillet : de courtes coupures le soir.',
          'Moving to the new server until 15 July: short interruptions in the evening.',
        ),
        priceNote: both(
          '8 € par mois. Mise en place : 120 €, ou 60 € au tarif solidaire.',
          '8 € a month. Setting up: 120 €, or 60 € at the solidarity price.',
        ),
        limits: both('5 Go par site.', '5 GB for each site.'),
        languages: ['fr', 'en', 'oc'],
        install: 'ARCHIVE',
        software: [
          'WordPress',
          '6.8.1',
          'GPL-2.0-or-later',
          'https://wordpress.org/',
          'https://core.trac.wordpress.org/browser',
        ],
        host: serveurToulouse,
        visits: [40, 41, 41, 42, 44, 44],
      }),
    ],
  ),
  member(
    'octetsmarais',
    {
      name: both('Octets du Marais', 'Octets du Marais'),
      tagline: both('Vidéos et rendez-vous, sur ordinateurs récupérés', 'Videos and polls, on rescued computers'),
      description: both(
        'Une association de Niort qui remet en état de vieux ordinateurs et s’en sert pour de bon. Nos services tournent dans notre local, à dix mètres de l’atelier de réparation. Ils sont parfois lents, jamais espions.',
        'An association in Niort that repairs old computers and really uses them. Our services run in our own rooms, ten metres from the repair workshop. They are slow at times, and never spy on you.',
      ),
      legalForm: 'ASSOCIATION',
      startDate: '2017-03-21',
      place: ['Niort', 'FR', 46.324, -0.464],
      since: '2024-11-03',
      socialNetworks: [
        { key: 'peertube', url: 'https://videos.octetsmarais.example/c/octets' },
        { key: 'mastodon', url: 'https://social.octetsmarais.example/@octets' },
      ],
      chatRooms: [{ key: 'xmpp', url: 'xmpp:atelier@salon.octetsmarais.example?join' }],
      funding: [{ key: 'liberapay', url: 'https://dons.octetsmarais.example/' }],
      guarantees: {
        backupPolicy: both(
          'Copie chaque dimanche à Orléans, gardée huit semaines. Restauration essayée une fois par an, en public.',
          'Copy to Orléans every Sunday, kept for eight weeks. Restore tried once a year, in public.',
        ),
        othersWithAccess: both('Personne.', 'Nobody.'),
        noticeDays: 90,
      },
    },
    [
      service('videos', {
        at: 'videos.octetsmarais.example',
        name: both('Vidéos du Marais', 'Marais Videos'),
        description: both(
          'Publier des vidéos d’ateliers, de conférences et de fêtes, et les suivre depuis tout le Fédivers.',
          'Publish videos of workshops, talks and parties, and follow them from all over the Fediverse.',
        ),
        startDate: '2025-01-10',
        registration: 'Free',
        load: 'FULL',
        needs: ['video'],
        priceNote: both('Gratuit, dons bienvenus.', 'Free of charge, gifts welcome.'),
        limits: both(
          '50 Go par compte. Les inscriptions rouvriront quand un disque aura été récupéré.',
          '50 GB for each account. Sign-up opens again once a disk has been rescued.',
        ),
        languages: ['fr', 'en'],
        install: 'ARCHIVE',
        software: [
          'PeerTube',
          '7.1.1',
          'AGPL-3.0-only',
          'https://joinpeertube.org/',
          'https://github.com/Chocobozzz/PeerTube',
        ],
        host: localNiort,
        visits: [310, 340, 388, 402, 390, 450],
      }),
      service('rendezvous', {
        at: 'rdv.octetsmarais.example',
        name: both('Rendez-vous', 'Rendez-vous'),
        description: both(
          'Trouver une date à plusieurs, ou poser une question simple. Sans compte, sans publicité.',
          'Find a date together, or ask a simple question. No account, no advertising.',
        ),
        startDate: '2025-03-01',
        registration: 'None',
        load: 'OPEN',
        needs: ['schedule'],
        priceNote: both('Gratuit.', 'Free of charge.'),
        limits: both(
          'Un sondage est effacé trente jours après sa dernière date.',
          'A poll is deleted thirty days after its last date.',
        ),
        languages: ['fr', 'en', 'es', 'br'],
        install: 'CLONEREPO',
        software: [
          'Framadate',
          '1.2.0',
          'CECILL-B',
          'https://framagit.org/framasoft/framadate',
          'https://framagit.org/framasoft/framadate/framadate',
        ],
        host: localNiort,
        visits: [210, 190, 260, 255, 270, 300],
      }),
    ],
  ),
  member(
    'nuagecausses',
    {
      name: both('Nuage des Causses', 'Nuage des Causses'),
      tagline: both('Carnets partagés, sur le plateau', 'Shared notebooks, up on the plateau'),
      description: both(
        'Un petit groupe d’amies et d’amis autour de Millau. Nous hébergeons des carnets de notes pour les collectifs du coin, sur un nano-ordinateur posé près du poêle.',
        'A small group of friends around Millau. We host notebooks for the groups nearby, on a tiny computer that stands by the stove.',
      ),
      legalForm: 'INFORMAL',
      startDate: '2023-09-01',
      place: ['Millau', 'FR', 44.098, 3.078],
      since: '2024-11-03',
      status: 'IDLE',
      statusDescription: both(
        'En pause jusqu’en juin : la maison est en travaux.',
        'Pausing until June: the house is being rebuilt.',
      ),
      guarantees: {
        backupPolicy: both(
          'Copie chaque semaine sur un disque rangé dans une autre maison.',
          'Copy every week to a disk kept in another house.',
        ),
        othersWithAccess: both('Personne.', 'Nobody.'),
        noticeDays: 60,
      },
    },
    [
      service('carnets', {
        at: 'carnets.nuagecausses.example',
        name: both('Carnets des Causses', 'Causses Notebooks'),
        description: both(
          'Des notes à plusieurs, en Markdown, avec dessins et présentations.',
          'Notes for several people, in Markdown, with drawings and slides.',
        ),
        startDate: '2024-12-01',
        registration: 'Free',
        load: 'OPEN',
        needs: ['notes', 'write'],
        status: 'OVER',
        statusDescription: both(
          'Arrêté pendant les travaux. Les carnets sont gardés et reviendront.',
          'Stopped during the building works. The notebooks are kept and will come back.',
        ),
        priceNote: both('Gratuit.', 'Free of charge.'),
        limits: both('1 Go par compte.', '1 GB for each account.'),
        languages: ['fr', 'en'],
        install: 'DISTRIBUTION',
        software: [
          'HedgeDoc',
          '1.10.3',
          'AGPL-3.0-only',
          'https://hedgedoc.org/',
          'https://github.com/hedgedoc/hedgedoc',
        ],
        host: {
          name: 'Nuage des Causses',
          description: 'Un nano-ordinateur dans une maison de Millau, sur une ligne ADSL.',
          serverType: 'NANO',
          distribution: 'YunoHost 12',
          providerType: 'HOME',
          hypervisor: '',
          countryName: 'France',
          countryCode: 'FR',
        },
        visits: [],
      }),
    ],
  ),
  member(
    'serrecommune',
    {
      name: both('Serre Commune', 'Serre Commune'),
      tagline: both('Discuter et s’organiser en deux langues', 'Talk and organise in two languages'),
      description: both(
        'Association namuroise, en français et en néerlandais. Nos membres sont des potagers collectifs, des écoles de devoirs et deux radios. Nous formons avant d’ouvrir un compte : une soirée, une tisane, et l’on sait s’en servir.',
        'An association in Namur, in French and Dutch. Our members are shared gardens, homework clubs and two radio stations. We teach before we open an account: one evening, a herbal tea, and you know your way around.',
      ),
      legalForm: 'ASSOCIATION',
      startDate: '2021-04-17',
      place: ['Namur', 'BE', 50.467, 4.867],
      since: '2025-05-18',
      languages: ['fr', 'nl'],
      socialNetworks: [{ key: 'mastodon', url: 'https://social.serrecommune.example/@nouvelles' }],
      chatRooms: [{ key: 'mattermost', url: 'https://salon.serrecommune.example/serre/channels/accueil' }],
      guarantees: {
        backupPolicy: both(
          'Copie chiffrée chaque nuit à Liège, gardée quarante jours. Dernier essai de restauration : avril 2026.',
          'Encrypted copy to Liège every night, kept for forty days. Last restore test: April 2026.',
        ),
        othersWithAccess: both(
          'L’association qui gère la salle peut redémarrer la machine.',
          'The association that runs the server room can restart the machine.',
        ),
        noticeDays: 180,
      },
    },
    [
      service('salon', {
        at: 'salon.serrecommune.example',
        name: both('Salon Serre', 'Serre Lounge'),
        description: both(
          'Discussions par équipe et par sujet, sur ordinateur et téléphone.',
          'Conversations by team and by subject, on computers and phones.',
        ),
        startDate: '2025-06-01',
        registration: 'Member',
        load: 'OPEN',
        needs: ['chat'],
        priceNote: both(
          'Compris dans l’adhésion : 30 € par an et par collectif, ou ce que vous pouvez.',
          'Included in the membership: 30 € a year for each group, or what you can pay.',
        ),
        limits: both(
          'Les messages de plus de deux ans sont effacés, sauf si le salon demande de les garder.',
          'Messages older than two years are deleted unless the channel asks to keep them.',
        ),
        languages: ['fr', 'nl', 'en'],
        install: 'ARCHIVE',
        software: [
          'Mattermost',
          '10.8.1',
          'MIT AND AGPL-3.0-only',
          'https://mattermost.com/',
          'https://github.com/mattermost/mattermost',
        ],
        host: baieNamur,
        visits: [510, 540, 560, 575, 600, 640],
      }),
      service('formulaires', {
        at: 'formulaires.serrecommune.example',
        name: both('Formulaires', 'Forms'),
        description: both(
          'Inscriptions, enquêtes et commandes groupées. Les réponses restent chez nous et se téléchargent en tableau.',
          'Sign-ups, surveys and joint orders. The answers stay with us and can be downloaded as a table.',
        ),
        startDate: '2025-06-20',
        registration: 'Free',
        load: 'OPEN',
        needs: ['forms'],
        priceNote: both('Gratuit, dons bienvenus.', 'Free of charge, gifts welcome.'),
        limits: both(
          '1 000 réponses par formulaire. Un formulaire fermé est effacé après neuf mois.',
          '1,000 answers for each form. A closed form is deleted after nine months.',
        ),
        languages: ['fr', 'nl'],
        install: 'ARCHIVE',
        software: [
          'Yakforms',
          '1.1',
          'GPL-3.0-only',
          'https://yakforms.org/',
          'https://framagit.org/yakforms/yakforms',
        ],
        host: baieNamur,
        visits: [88, 90, 102, 110, 121, 130],
      }),
    ],
  ),
  member(
    'fournil',
    {
      name: both('La Passerelle du Fournil', 'La Passerelle du Fournil'),
      tagline: both('L’agenda libre des bords du Léman', 'The free calendar of Lake Geneva'),
      description: both(
        'Une petite société de Vevey, née dans l’arrière-boutique d’une boulangerie. Nous tenons un agenda commun pour les lieux et les fêtes des environs, et nous accompagnons les structures qui veulent le leur.',
        'A small company in Vevey, born in the back room of a bakery. We keep a common calendar for the places and parties around us, and help those who want one of their own.',
      ),
      legalForm: 'COMPANY',
      startDate: '2020-06-01',
      place: ['Vevey', 'CH', 46.46, 6.843],
      since: '2025-05-18',
      languages: ['fr', 'de', 'en'],
      socialNetworks: [{ key: 'mobilizon', url: 'https://agenda.fournil.example/@agenda' }],
      guarantees: {
        backupPolicy: both(
          'Copie chaque nuit à Lausanne, gardée trente jours. La copie du 28 juin a échoué, nous y travaillons.',
          'Copy to Lausanne every night, kept for thirty days. The copy of 28 June failed, we are working on it.',
        ),
        othersWithAccess: both(
          'Notre fournisseur administre la machine partagée.',
          'Our provider administers the shared machine.',
        ),
        noticeDays: 90,
      },
    },
    [
      service('agenda', {
        at: 'agenda.fournil.example',
        name: both('Agenda du Fournil', 'Fournil Calendar'),
        description: both(
          'Annoncer un concert, un atelier ou un marché, et suivre les lieux que vous aimez.',
          'Announce a concert, a workshop or a market, and follow the places you like.',
        ),
        startDate: '2025-07-01',
        registration: 'Free',
        load: 'OPEN',
        needs: ['events'],
        status: 'ALERT',
        statusDescription: both(
          'La sauvegarde du 28 juin a échoué. Le service marche, mais gardez une copie de vos annonces.',
          'The backup of 28 June failed. The service works, but keep a copy of your announcements.',
        ),
        priceNote: both(
          'Gratuit pour les lieux associatifs, 5 CHF par mois sinon.',
          'Free for associations, else 5 CHF a month.',
        ),
        limits: both('Images de 10 Mo au plus.', 'Images of 10 MB at most.'),
        languages: ['fr', 'de', 'en', 'it'],
        install: 'PROVIDER',
        software: [
          'Mobilizon',
          '5.1.4',
          'AGPL-3.0-only',
          'https://mobilizon.org/',
          'https://framagit.org/kaihuri/mobilizon',
        ],
        host: {
          name: 'La Passerelle du Fournil',
          description: 'Espace partagé sur un serveur loué à Lausanne, électricité de barrage.',
          serverType: 'SHARED',
          distribution: 'Debian 12',
          providerType: 'HOSTEDSERVER',
          hypervisor: '',
          countryName: 'Suisse',
          countryCode: 'CH',
        },
        visits: [60, 64, 71, 80, 77, 90],
      }),
    ],
  ),
  member(
    'gouttiere',
    {
      name: both('Collectif Gouttière', 'Collectif Gouttière'),
      tagline: both('Du code et des brèves, sous les toits', 'Code and short notes, under the roof'),
      description: both(
        'Une bande de Roubaix qui partage un grenier, un panneau solaire et deux nano-ordinateurs. Nous accueillons les projets de logiciels libres du quartier, et celles et ceux qui les racontent.',
        'A crew in Roubaix that shares an attic, a solar panel and two tiny computers. We take in the free software projects of the neighbourhood, and the people who write about them.',
      ),
      legalForm: 'INFORMAL',
      startDate: '2024-02-29',
      place: ['Roubaix', 'FR', 50.69, 3.182],
      since: '2025-11-09',
      languages: ['fr', 'en'],
      socialNetworks: [{ key: 'gotosocial', url: 'https://microblog.gouttiere.example/@veille' }],
      chatRooms: [{ key: 'irc', url: 'ircs://irc.gouttiere.example/gouttiere' }],
      guarantees: {
        backupPolicy: both(
          'Copie chaque nuit chez une voisine, gardée quinze jours.',
          'Copy to a neighbour’s house every night, kept for fifteen days.',
        ),
        othersWithAccess: both('Personne.', 'Nobody.'),
        noticeDays: 60,
      },
    },
    [
      service('depot', {
        at: 'depot.gouttiere.example',
        name: both('Dépôt Gouttière', 'Gouttière Forge'),
        description: both(
          'Une forge pour écrire du code ensemble : dépôts, tickets, revues, et intégration continue le jour, quand il fait soleil.',
          'A forge to write code together: repositories, tickets, reviews, and continuous integration by day, when the sun shines.',
        ),
        startDate: '2025-12-01',
        registration: 'Member',
        load: 'OPEN',
        needs: ['code', 'projects'],
        priceNote: both(
          'Gratuit pour les membres. Devenir membre : passer un soir.',
          'Free for members. To become one: come by one evening.',
        ),
        limits: both('2 Go par personne, dépôts libres seulement.', '2 GB for each person, free software only.'),
        languages: ['fr', 'en'],
        install: 'PACKAGE',
        software: [
          'Forgejo',
          '11.0.1',
          'GPL-3.0-or-later',
          'https://forgejo.org/',
          'https://codeberg.org/forgejo/forgejo',
        ],
        host: grenierRoubaix,
        visits: [12, 15, 18, 22, 25, 31],
      }),
      service('microblog', {
        at: 'microblog.gouttiere.example',
        name: both('Micro-blog', 'Micro-blog'),
        description: both(
          'Un tout petit serveur du Fédivers, pour le quartier et ses amis.',
          'A very small server on the Fediverse, for the neighbourhood and its friends.',
        ),
        startDate: '2025-12-15',
        registration: 'Member',
        load: 'FULL',
        needs: ['social'],
        priceNote: both('Gratuit pour les membres.', 'Free for members.'),
        limits: both(
          'Quarante comptes, pas un de plus : le nano-ordinateur a chaud.',
          'Forty accounts and not one more: the tiny computer gets hot.',
        ),
        languages: ['fr', 'en'],
        install: 'DISTRIBUTION',
        software: [
          'GoToSocial',
          '0.19.1',
          'AGPL-3.0-only',
          'https://gotosocial.org/',
          'https://codeberg.org/superseriousbusiness/gotosocial',
        ],
        host: grenierRoubaix,
        visits: [30, 33, 35, 36, 38, 41],
      }),
    ],
  ),
  member(
    'ruisseau',
    {
      name: both('Ruisseau Solidaire', 'Ruisseau Solidaire'),
      tagline: both('Hébergement du pays de Cornouaille', 'Hosting for Cornouaille'),
      description: both(
        'Micro-entreprise de Quimper. Fermée à la fin de 2025 : chaque personne hébergée a été accompagnée vers une autre tige du réseau.',
        'A micro-company in Quimper. Closed at the end of 2025: every person it hosted was helped to move to another member of the network.',
      ),
      legalForm: 'MICROCOMPANY',
      startDate: '2018-01-15',
      endDate: '2025-12-31',
      place: ['Quimper', 'FR', 47.996, -4.102],
      since: '2024-05-12',
      left: '2025-12-31',
      status: 'AWAY',
      statusDescription: both(
        'A quitté le réseau le 31 décembre 2025, sans laisser personne sans solution.',
        'Left the network on 31 December 2025, leaving nobody stranded.',
      ),
      guarantees: {
        backupPolicy: both(
          'Les dernières copies ont été effacées le 31 mars 2026.',
          'The last copies were erased on 31 March 2026.',
        ),
        othersWithAccess: both(
          'L’infrastructure était entièrement sous-traitée.',
          'The infrastructure was entirely outsourced.',
        ),
        noticeDays: 180,
      },
    },
    [],
  ),
];

/** The member with this id. */
export function roseauMember(id: RoseauMemberId): RoseauMember {
  const found = roseauMembers.find((candidate) => candidate.id === id);
  if (!found) throw new Error(`ROSEAU has no member ${id}`);
  return found;
}

const FOLDER = '/.well-known/chatonsinfos';
const file = { protocol: CHATONSINFOS_PROTOCOL, dateTime: '2026-07-01T08:00:00', generator: 'Chatière' };
const nothing = { subs: [], labels: [], series: [], unknown: [] };

/**
 * All ChatonsInfos files of a member, by path: `/.well-known/chatonsinfos/<id>.properties` first, then for each service
 * `<id>-<slug>.properties` and `<id>-<slug>-metrics.properties`. They name each other under baseUrl, which has no slash
 * at its end. Texts are the French ones.
 */
export function roseauChatonsInfosFiles(id: RoseauMemberId, baseUrl: string): Map<string, string> {
  const { profile, services } = roseauMember(id);
  const path = (name: string): string => `${FOLDER}/${id}${name}.properties`;
  const subs = services.map(({ slug }): Sub => ({ key: slug, url: baseUrl + path(`-${slug}`) }));
  const files = new Map([[path(''), writeChatonsInfos({ ...organizationModel(profile), subs })]]);
  for (const each of services) {
    const metrics = path(`-${each.slug}-metrics`);
    const model = { ...serviceModel(each.profile), subs: [{ key: 'metrics', url: baseUrl + metrics }] };
    files.set(path(`-${each.slug}`), writeChatonsInfos(model));
    files.set(metrics, writeChatonsInfos(metricsModel(each.metrics)));
  }
  return files;
}

/** The network's own file, `/.well-known/chatonsinfos/roseau.properties`, which names the files of all members. */
export function roseauFederationFile(baseUrl: string): [path: string, text: string] {
  const model: ChatonsFederation = {
    kind: 'federation',
    ...nothing,
    file,
    name: roseau.name.fr,
    description: roseau.description.fr,
    website: roseau.website,
    contactEmail: roseau.contactEmail,
    socialNetworks: {},
    chatrooms: {},
    subs: roseauMembers.map(({ id }) => ({ key: id, url: `${baseUrl}${FOLDER}/${id}.properties` })),
  };
  return [`${FOLDER}/${roseau.slug}.properties`, writeChatonsInfos(model)];
}

/** What has a value: our models have no place for "nothing". */
function given<T extends object>(all: { [K in keyof T]: T[K] | null | undefined }): Partial<T> {
  const entries = Object.entries(all).filter(([, value]) => value !== null && value !== undefined && value !== '');
  // Only entries of T are left, each with its own type.
  return Object.fromEntries(entries) as Partial<T>;
}

function organizationModel(profile: CollectiveProfile): ChatonsOrganization {
  const links = (rows: CollectiveProfile['socialNetworks']): Links =>
    Object.fromEntries(rows.map(({ key, url }) => [key, url]));
  const memberships = profile.memberOf.map(({ key, startDate, endDate, status, statusDescription }) => [
    key,
    given({ startDate, endDate, statusLevel: status, statusDescription }),
  ]);
  return {
    kind: 'organization',
    ...nothing,
    file,
    ...given({
      name: profile.name.fr,
      description: profile.tagline.fr,
      type: profile.legalForm,
      statusLevel: profile.status,
      statusDescription: profile.statusDescription.fr,
      startDate: profile.startDate,
      endDate: profile.endDate,
      website: profile.website,
      contactUrl: profile.contactUrl,
      contactEmail: profile.contactEmail,
      legalUrl: profile.legalUrl,
      guideTechnical: profile.technicalGuideUrl,
      guideUser: profile.userGuideUrl,
      countryName: profile.place.countryName,
      countryCode: profile.place.countryCode,
      latitude: profile.place.latitude,
      longitude: profile.place.longitude,
      address: profile.place.address,
    }),
    memberOf: Object.fromEntries(memberships),
    socialNetworks: links(profile.socialNetworks),
    chatrooms: links(profile.chatRooms),
    funding: links(profile.funding),
  };
}

function serviceModel(profile: ServiceProfile): ChatonsService {
  const { software, host } = profile;
  return {
    kind: 'service',
    ...nothing,
    file,
    ...given({
      name: profile.name.fr,
      description: profile.description.fr,
      website: profile.website,
      legalUrl: profile.legalUrl,
      guideTechnical: profile.technicalGuideUrl,
      guideUser: profile.userGuideUrl,
      contactUrl: profile.contactUrl,
      contactEmail: profile.contactEmail,
      startDate: profile.startDate,
      endDate: profile.endDate,
      statusLevel: profile.status,
      statusDescription: profile.statusDescription.fr,
      registration: profile.registration,
      registrationLoad: profile.load,
      installType: profile.installType,
    }),
    software: given({
      name: software.name,
      website: software.website,
      licenseName: software.licenseName,
      licenseUrl: software.licenseUrl,
      version: software.version,
      sourceUrl: software.sourceUrl,
      modules: software.modules.length > 0 ? software.modules : null,
    }),
    host: given({
      name: host.name,
      description: host.description,
      serverType: host.serverType,
      serverDistribution: host.distribution,
      providerType: host.providerType,
      hypervisor: host.hypervisor,
      countryName: host.countryName,
      countryCode: host.countryCode,
    }),
  };
}

function metricsModel(series: MetricsSeries[]): ChatonsMetrics {
  const label = { path: 'http.visits', name: 'Visites', description: 'Visites du service, robots écartés' };
  return { kind: 'metrics', ...nothing, file, labels: [label], series };
}
