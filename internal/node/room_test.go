package node_test

import (
	"testing"

	"kith/internal/node"
)

// TestPageKey: it is made once, and is another in another home.
func TestPageKey(t *testing.T) {
	t.Parallel()
	ann, ben := start(t, "Ann", t.TempDir()), start(t, "Ben", t.TempDir())
	keys := make(map[string]bool)
	for _, p := range []*person{ann, ben} {
		key, err := p.PageKey()
		must(t, err)
		if again, err := p.PageKey(); err != nil || string(again) != string(key) || len(key) != 32 {
			t.Errorf("%s: %x, then %x, %v", p.name, key, again, err)
		}
		keys[string(key)] = true
	}
	ann = ann.restart()
	if key, err := ann.PageKey(); err != nil || !keys[string(key)] || len(keys) != 2 {
		t.Errorf("after a restart %x, %v; of both homes there are %d", key, err, len(keys))
	}
}

// TestSettingsOneAtATime: who changes one leaves the others as somebody else has just chosen them.
func TestSettingsOneAtATime(t *testing.T) {
	t.Parallel()
	ann := start(t, "Ann", t.TempDir())
	must(t, ann.ChangeSettings(func(s *node.Settings) { s.TellRead = true }))
	must(t, ann.ChangeSettings(func(s *node.Settings) { s.HideTyping = true }))
	if s, err := ann.Settings(); err != nil || s != (node.Settings{HideTyping: true, TellRead: true}) {
		t.Errorf("%+v, %v", s, err)
	}
}
