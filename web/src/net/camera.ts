// Reading QR codes from a camera. What reads them is loaded with the first use: 58 KB, gzipped.

/** How wide the picture is that codes are looked for in, at most, in pixels. */
const widest = 960;

/** How long to wait between two looks, in ms: the page stays quick meanwhile. */
const rest = 20;

/** openCamera asks for a camera, the one on the back if there are two. */
export function openCamera(): Promise<MediaStream> {
  if (navigator.mediaDevices === undefined) return Promise.reject(new DOMException('', 'NotFoundError'));
  return navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment', width: { ideal: 1280 } }, audio: false });
}

/** closeCamera lets a camera go; its light goes out. */
export function closeCamera(stream: MediaStream | undefined) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** codes gives the bytes of each QR code that is seen, the same one again and again, until it is told to stop. */
export async function* codes(video: HTMLVideoElement, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const { default: jsQR } = await import('jsqr');
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  while (!signal.aborted) {
    if (video.videoWidth > 0) {
      const scale = Math.min(1, widest / video.videoWidth);
      const [width, height] = [Math.round(video.videoWidth * scale), Math.round(video.videoHeight * scale)];
      if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
      context.drawImage(video, 0, 0, width, height);
      const code = jsQR(context.getImageData(0, 0, width, height).data, width, height, { inversionAttempts: 'dontInvert' });
      if (code !== null) yield Uint8Array.from(code.binaryData);
    }
    await new Promise((done) => setTimeout(done, rest));
  }
}
