// Light, dark, or as the system has it. Kept in this browser.
export type Look = 'system' | 'light' | 'dark';

const place = 'kith.look';

class Appearance {
  look = $state<Look>('system');

  constructor() {
    const kept = localStorage.getItem(place);
    if (kept === 'light' || kept === 'dark') this.look = kept;
    this.#apply();
  }

  choose(look: Look): void {
    this.look = look;
    localStorage.setItem(place, look);
    this.#apply();
  }

  #apply(): void {
    document.documentElement.dataset.look = this.look;
  }
}

export const appearance = new Appearance();
