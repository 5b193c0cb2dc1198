// @ts-check

/**
 * Short tones, made and not loaded. Rising is in, falling is out, repeated is trouble; each kind has its own figure.
 * A browser lets a page sound only after somebody has used it.
 */

const LOUDNESS = 0.12;
const GAP_SECONDS = 0.25;
const WAITING_AT_MOST_SECONDS = 3;
/** @type {Record<string, [hertz: number, seconds: number][]>} the notes of each kind */
// biome-ignore format: one figure a line
const FIGURES = {
  daily_stop: [[220, 0.25], [220, 0.25], [165, 0.6]],
  critical: [[740, 0.12], [523, 0.12], [740, 0.12], [523, 0.2]],
  lost: [[330, 0.2], [247, 0.5]],
  taken_out: [[880, 0.12], [659, 0.12], [440, 0.3]],
  exit_filled: [[880, 0.12], [587, 0.25]],
  entry_filled: [[587, 0.12], [880, 0.25]],
  drawdown: [[392, 0.15], [392, 0.15], [392, 0.3]],
  warning: [[523, 0.15], [523, 0.25]],
  back: [[247, 0.15], [330, 0.3]],
  may_enter: [[659, 0.3]],
};

/** @type {AudioContext | null} */
let context = null;
let freeAt = 0; // in the context's seconds

/** Make the page sound. Call it when the operator has just clicked or pressed something. */
export async function wake() {
  context ??= new AudioContext();
  if (context.state !== "running") await context.resume();
}

/** Whether the page may sound. */
export function isAwake() {
  return context?.state === "running";
}

/**
 * Let the kinds sound one after the other. What would come too late for its cause is left out.
 *
 * @param {string[]} kinds
 */
export function play(kinds) {
  if (context === null || !isAwake()) return;
  for (const kind of kinds) {
    const at = Math.max(context.currentTime + 0.02, freeAt);
    if (at - context.currentTime < WAITING_AT_MOST_SECONDS) {
      freeAt = playFigure(context, FIGURES[kind], at) + GAP_SECONDS;
    }
  }
}

/**
 * @param {AudioContext} audio
 * @param {[hertz: number, seconds: number][]} notes
 * @param {number} startsAt
 */
function playFigure(audio, notes, startsAt) {
  return notes.reduce((at, [hertz, seconds]) => playNote(audio, hertz, seconds, at), startsAt);
}

/**
 * Fade in and out, or it clicks.
 *
 * @param {AudioContext} audio
 * @param {number} hertz
 * @param {number} seconds
 * @param {number} at
 */
function playNote(audio, hertz, seconds, at) {
  const oscillator = audio.createOscillator();
  const gain = audio.createGain();
  oscillator.type = "triangle";
  oscillator.frequency.value = hertz;
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(LOUDNESS, at + 0.01);
  gain.gain.setValueAtTime(LOUDNESS, at + seconds - 0.06);
  gain.gain.linearRampToValueAtTime(0, at + seconds);
  oscillator.connect(gain).connect(audio.destination);
  oscillator.start(at);
  oscillator.stop(at + seconds);
  return at + seconds;
}
