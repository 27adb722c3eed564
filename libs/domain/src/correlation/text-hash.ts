/** FNV-1a over the code units from `start` on, mixed so that its lower bits tell texts apart. A whole number of 32 bits. */
export function hashOf(text: string, start = 0): number {
  let hash = 0x811c9dc5;
  for (let index = start; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}
