// What well-known free software is used for, and by which everyday words people look for it. Tables only: they fill in a
// form or an import, a member may always choose otherwise.
import { fold } from '../shapes.js';
import type { Need } from './schema.js';

/** Software (its usual name, others after "/") -> needs, the main one first. */
const table: Readonly<Record<string, readonly Need[]>> = {
  'Adminer/phpMyAdmin': ['website'],
  'Ampache/Navidrome/Koel/Mopidy': ['music'],
  'Aria2/AriaNg': ['transfer'],
  'Docspell/Paperless/Paperless-ngx/Mayan EDMS': ['files'],
  AzuraCast: ['music'],
  'Baserow/NocoDB/Grist/Teable': ['lists', 'projects'],
  'BigBlueButton/Jitsi/Jitsi Meet/Galène/Galene/MiroTalk': ['meet'],
  'Bitwarden/Vaultwarden/Passbolt/Psono/KeeWeb': ['passwords'],
  'BookStack/DokuWiki/MediaWiki/XWiki/Wiki.js/Outline/TiddlyWiki/Gollum/PmWiki/YesWiki/Raneto': ['notes', 'write'],
  BookWyrm: ['social', 'learn'],
  'Cal.com/Easy!Appointments': ['schedule', 'calendar'],
  Castopod: ['publish', 'music'],
  'CiviCRM/Galette/Garradin/Paheko': ['money', 'lists'],
  CKAN: ['publish'],
  'CodiMD/HedgeDoc': ['write', 'notes'],
  'Cozy/Cozy Cloud': ['files', 'calendar'],
  'CryptPad/Cryptpad': ['write', 'files', 'forms'],
  'Collabora/Collabora Online/OnlyOffice/EtherCalc/Ethercalc/Framacalc': ['write'],
  'Framadate/OpenSondage/Rallly/Croodle/Dudle': ['schedule'],
  'Dendrite/Element/Matrix/Synapse/Conduit/Cinny/FluffyChat': ['chat', 'meet'],
  'Discourse/Flarum/NodeBB/phpBB/Lemmy/PieFed/Mbin/Kbin/Talkyard': ['social'],
  'Dolibarr/Odoo/ERPNext/GnuCash/Akaunting/Invoice Ninja/Crater/Kimai/Cospend/IHateMoney/Firefly III/Spliit': ['money'],
  Drawio: ['boards'],
  'Drupal/WordPress/Wordpress/Grav/Ghost/SPIP/Joomla/Publii/PluXml/Dotclear/Noblogs/Hugo/Scribouilli/Omeka': [
    'website',
    'publish',
  ],
  'Dovecot/Postfix/Roundcube/SOGo/Mailcow/Mailu/Modoboa/Zimbra/Rainloop/SnappyMail/iRedMail/Stalwart/Cyrus/BlueMind/Mail-in-a-Box/Rspamd':
    ['mail'],
  Dufs: ['files', 'transfer'],
  'ejabberd/Prosody/XMPP/Movim/Converse.js/ConverseJS/Jappix/Snikket': ['chat'],
  'Etherpad/Etherpad Lite/Mypads/MyPads/Framapad': ['write'],
  'Excalidraw/WBO/Whiteboard/tldraw/Draw.io/diagrams.net/Spacedeck/Framemo/Scrumblr/Wekan/Kanboard/Planka/Focalboard/Taskboard/Nullboard':
    ['boards'],
  'Firefish/Misskey/Mastodon/Pleroma/Akkoma/GoToSocial/Friendica/Diaspora/diaspora*/Hubzilla/Glitch-soc/Sharkey/Iceshrimp/Takahē/Takahe/Mitra/snac':
    ['social'],
  'FileDrop/Firefox Send/Jirafeau/Lufi/PsiTransfer/Plik/Pairdrop/Snapdrop/Chibisafe/Gokapi/transfer.sh/OnionShare/LinShare/FileShelter':
    ['transfer'],
  'FreshRSS/Miniflux/Tiny Tiny RSS/CommaFeed/Selfoss/NewsBlur/RSS-Bridge/rssbridge': ['links'],
  Funkwhale: ['music', 'social'],
  Gancio: ['events'],
  'Gitea/Forgejo/GitLab/Gogs/Gitlab/OneDev/SourceHut/Sourcehut/cgit/Woodpecker/Codeberg Pages/Weblate': ['code'],
  'Gotify/ntfy/UnifiedPush/Mollysocket': ['chat'],
  'Grafana/Uptime Kuma/Zabbix/Munin/Prometheus/Netdata/Cachet/Statping/Umami/Matomo/Plausible/GoatCounter/Monitorix': [
    'monitor',
  ],
  'Headscale/WireGuard/OpenVPN/Tor/Snowflake/Coturn/Unbound/Pi-hole/PowerDNS/Knot/AdGuard Home': ['network'],
  'Immich/Lychee/Piwigo/Pixelfed/PhotoPrism/Lutim/PicoShare/Chevereto/Slink/Vernissage': ['pictures'],
  Invidious: ['video'],
  'Joplin/Joplin Server/Memos/Standard Notes/Turtl/Trilium/SilverBullet/Notesnook/Etesync/EteSync': ['notes'],
  'Kiwix/Moodle/Scenari/Kolibri/Chamilo/H5P/LibreTexts/Anki/La Digitale/Digipad': ['learn'],
  'LibreTranslate/Apertium/LanguageTool/Lingva': ['translate'],
  'LimeSurvey/Limesurvey/Yakforms/Framaforms/OhMyForm/Formbricks/HeyForm/Liberaforms/LiberaForms/Nextcloud Forms/Typebot/KoboToolbox':
    ['forms'],
  'Linkding/Linkwarden/Shaarli/wallabag/Wallabag/YOURLS/Lstu/Polr/Shlink/Kutt/Rs-short/rs-short/Framalink/LinkStack/LittleLink/Readeck/Shiori/Buku':
    ['links'],
  'Listmonk/Mailman/Sympa/phpList/Mailtrain/Schleuder/mlmmj/Keila': ['lists', 'mail'],
  Loomio: ['projects', 'social'],
  'Mattermost/Rocket.Chat/RocketChat/Zulip/Framateam': ['chat'],
  'Baïkal/Baikal/Radicale/Xandikos/DAViCal/Agendav/OpenAgenda': ['calendar'],
  'MinIO/Garage/Ceph': ['files'],
  'Mobilizon/Gathio/Openki/Hi.Events/Pretix/pretix/Indico': ['events'],
  'MyBB/Agora Project/Crabgrass/Open-Xchange/eGroupWare/Tracim/Twake': ['projects', 'files'],
  Mumble: ['meet', 'chat'],
  'Nextcloud/ownCloud/NextCloud/Owncloud/oCIS': ['files', 'calendar'],
  'OpenProject/Redmine/Taiga/Tuleap/Vikunja/Plane/Leantime': ['projects', 'boards'],
  'OpenStreetMap/uMap/Umap/Gogocarto/GoGoCarto/OSRM/TileServer/Nominatim/MapLibre': ['maps'],
  'Overleaf/ShareLaTeX': ['write'],
  'Owncast/Restreamer/PeerTube/Peertube/MediaGoblin/Jellyfin/Opencast/Esup-Pod': ['video'],
  'PrivateBin/Privatebin/Pastebin/Hastebin/0bin/OpenGist/Opengist/MicroBin/Zerobin/wastebin/Yopass': [
    'transfer',
    'notes',
  ],
  'Plume/WriteFreely/Write Freely/Writefreely/Bludit': ['publish'],
  'Searx/SearX/SearXNG/Searxng/YaCy/Whoogle/MetaGer/LibreX/4get': ['search'],
  'Seafile/Pydio/Syncthing/Filebrowser/File Browser/Cells': ['files'],
  'Stirling PDF/StirlingPDF/PDF Tools/DocuSeal/Documenso': ['files', 'write'],
  'Wger/Home Assistant/Tandoor/Mealie/Grocy': ['other'],
  'YunoHost/Yunohost/LXC/Proxmox/ISPConfig/AlternC': ['website'],
};

const bySoftware = new Map<string, readonly Need[]>(
  Object.entries(table).flatMap(([names, needs]) => names.split('/').map((name) => [fold(name), needs] as const)),
);

/** How many names of software the table knows. */
export const knownSoftwareCount = bySoftware.size;

/**
 * What this software is usually used for, or nothing. Understands "Dovecot + Postfix" and "Nextcloud 29" as well: the
 * longest name of the table that the words begin with, for each part.
 */
export function needsOfSoftware(name: string): Need[] {
  const parts = name.split(/[+&,;]|\bet\b|\band\b/i).map(fold);
  return [...new Set(parts.flatMap((part) => needsOfOne(part)))];
}

function needsOfOne(part: string): readonly Need[] {
  const words = part.split(' ');
  for (let count = words.length; count > 0; count -= 1) {
    const found = bySoftware.get(words.slice(0, count).join(' '));
    if (found) return found;
  }
  return [];
}

/** Everyday words for a need, in French and English, folded: "visio" finds what nobody calls so in its description. */
const everyday: Readonly<Record<Need, string>> = {
  write:
    'ecrire texte document pad editeur collaboratif traitement tableur bureautique write text document office spreadsheet collaborative',
  files: 'fichiers stockage partage nuage cloud sauvegarde drive files storage share backup synchronisation sync',
  mail: 'courriel courriels mail mails email emails messagerie boite adresse mailbox webmail',
  chat: 'messagerie instantanee discussion tchat chat salon message equipe messaging talk team',
  meet: 'visio visioconference reunion appel audio video meeting call conference videoconference',
  schedule: 'rendez vous date sondage creneau planifier schedule poll appointment doodle',
  calendar: 'agenda calendrier contacts carnet adresses calendar contacts address book',
  forms: 'formulaire formulaires questionnaire enquete inscription form forms survey questionnaire',
  website: 'site sites web hebergement blog website hosting page',
  publish: 'blog publier article ecrire publication podcast publish writing newsletter',
  video: 'video videos film streaming direct diffusion live stream youtube',
  pictures: 'photo photos image images galerie album pictures gallery',
  music: 'musique audio radio son music sound podcast',
  social: 'reseau social microblog fediverse forum communaute social network community twitter',
  events: 'evenement evenements sortie billetterie event events ticket meetup',
  code: 'code git depot forge developpement source repository development github',
  projects: 'projet projets gestion taches organisation project projects tasks management',
  boards: 'tableau blanc kanban post it schema dessin board whiteboard diagram drawing trello',
  notes: 'note notes wiki carnet prise notebook knowledge',
  passwords: 'mot passe mots coffre fort password passwords vault',
  links: 'lien liens raccourcir favoris rss veille url link links shortener bookmarks feeds',
  search: 'recherche moteur chercher search engine google',
  translate: 'traduire traduction langue translate translation language deepl',
  maps: 'carte cartes cartographie plan map maps geography',
  money: 'compta comptabilite facture depenses adhesion argent accounting invoice expenses money membership',
  lists: 'liste listes diffusion lettre information base donnees mailing list lists newsletter database',
  learn: 'apprendre cours formation ecole education learn course teaching school',
  transfer: 'envoyer envoi transfert gros fichier partager colle send transfer paste wetransfer drop',
  monitor: 'statistiques surveillance mesure audience stats statistics monitoring analytics uptime',
  network: 'vpn dns reseau acces tor network access',
  other: '',
};

const wordsByNeed = new Map(Object.entries(everyday).map(([need, words]) => [need, words.split(' ').filter(Boolean)]));

export function everydayWords(need: Need): readonly string[] {
  return wordsByNeed.get(need) ?? [];
}
