// The fictional network ROSEAU, for tests. Its texts and figures live beside the demo, in jobs/roseau.ts.
export {
  roseauChatonsInfosFiles,
  roseauFederationFile,
  roseauMember,
  roseauMembers,
} from '../../jobs/roseau.js';
