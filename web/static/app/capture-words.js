/**
 * Why there is no picture or sound, in words that say what to do.
 */

const THING = {
  camera: 'the camera',
  microphone: 'the microphone',
  screen: 'your screen',
};

/**
 * @param {{name?: string, message?: string}} error from getUserMedia or getDisplayMedia
 * @param {'camera' | 'microphone' | 'screen'} source
 * @returns {{title: string, text: string}}
 */
export function explain(error, source) {
  switch (error?.name) {
    case 'InsecureContextError':
      return {
        title: 'A secure connection is needed',
        text: 'Browsers give out camera and screen only over https, or on localhost. Open this page there.',
      };
    case 'NotAllowedError':
    case 'SecurityError':
      if (source === 'screen') {
        return {
          title: 'No screen or window chosen',
          text: 'Choose Screen again, or allow screen sharing for this page if the browser blocked it.',
        };
      }
      return {
        title: `Permission for ${THING[source]} was refused`,
        text: 'Allow it in the browser’s address bar, then try again.',
      };
    case 'NotFoundError':
    case 'OverconstrainedError':
      return {
        title: `No ${source} found`,
        text: source === 'camera' ? 'Connect a camera, or share a screen or window instead.' : 'Connect one and choose it from the list.',
      };
    case 'NotReadableError':
    case 'AbortError':
      return {
        title: `${THING[source][0].toUpperCase()}${THING[source].slice(1)} cannot be used`,
        text: 'Another program may be using it. Close that, then try again.',
      };
    case 'NotSupportedError':
      return {
        title: 'Not available here',
        text: 'This browser cannot share a screen. Use a camera, or a browser on a computer.',
      };
    default:
      return {
        title: `No access to ${THING[source]}`,
        text: error?.message || 'The browser gave no reason.',
      };
  }
}
