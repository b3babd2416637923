package mailbox

import "sync"

// hub tells who waits for items of a drop that there may be one. Its zero value
// is ready.
type hub struct {
	mu    sync.Mutex // guards drops
	drops map[Name]map[chan struct{}]struct{}
}

// listen returns a channel that yields after each put into the drop; several may
// come as one. stop must be called.
func (h *hub) listen(name Name) (news <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.drops == nil {
		h.drops = make(map[Name]map[chan struct{}]struct{})
	}
	if h.drops[name] == nil {
		h.drops[name] = make(map[chan struct{}]struct{})
	}
	h.drops[name][c] = struct{}{}
	return c, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.drops[name], c)
		if len(h.drops[name]) == 0 {
			delete(h.drops, name)
		}
	}
}

func (h *hub) tell(name Name) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.drops[name] {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
