// A finger that rests on something: it asks for its menu.

const longPress = 500; // ms that it rests
const stillness = 10; // px that it may move meanwhile

export class Press {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #x = 0;
  #y = 0;

  /** A finger is down, or was and opened what it asked for. */
  get on(): boolean {
    return this.#timer !== undefined;
  }

  begin(event: PointerEvent, rested: (x: number, y: number) => void): void {
    if (event.pointerType !== 'touch') return;
    const { clientX: x, clientY: y } = event;
    [this.#x, this.#y] = [x, y];
    this.#timer = setTimeout(() => {
      navigator.vibrate?.(10);
      rested(x, y);
    }, longPress);
  }

  move(event: PointerEvent): void {
    if (this.on && Math.hypot(event.clientX - this.#x, event.clientY - this.#y) > stillness) this.release();
  }

  release(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
