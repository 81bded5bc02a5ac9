/**
 * The id of this page for the server: it lasts as long as the page, so that
 * a connection that comes back can be told from another client's.
 */
const id = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** @returns {{client_id: string, machine: object}} for a `hello` */
export function identity() {
  /** @type {Navigator & {userAgentData?: {platform: string}}} newer than what TypeScript knows */
  const {userAgentData} = navigator;
  const platform = userAgentData?.platform ?? navigator.platform ?? '';
  return {client_id: id, machine: {user_agent: navigator.userAgent, platform}};
}
