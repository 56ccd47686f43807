// The fictional network ROSEAU, for tests. Its texts and figures live beside the demo, in jobs/roseau.ts.
export {
  type RoseauMember,
  type RoseauMemberId,
  type RoseauService,
  roseau,
  roseauChatonsInfosFiles,
  roseauFederationFile,
  roseauMember,
  roseauMembers,
} from '../../jobs/roseau.js';
