package node_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"kith/internal/node"
	"kith/internal/wire"
)

// Canaries: what must not be readable anywhere. Each is long enough not to be
// there by chance.
const (
	annName   = "Ann Cormorant-Quillfeather"
	benName   = "Ben Marzipan-Underwood"
	tripTitle = "Voyage to Tristan da Cunha"
	tripText  = "the lighthouse keeper sold the marmalade"
	tripReply = "bring seventeen umbrellas and the gramophone"
	pairText  = "nobody else may know about the walrus"
	notesText = "remember the combination of the safe"
)

var canaries = []string{annName, benName, tripTitle, tripText, tripReply, pairText, notesText}

// disguises are the forms in which text may lie in a file or frame.
func disguises(s string) (list [][]byte) {
	list = append(list, []byte(s))
	for _, little := range []bool{false, true} {
		var b []byte
		for _, u := range utf16.Encode([]rune(s)) {
			if little {
				b = append(b, byte(u), byte(u>>8))
			} else {
				b = append(b, byte(u>>8), byte(u))
			}
		}
		list = append(list, b)
	}
	list = append(list, []byte(hex.EncodeToString([]byte(s))), []byte(strings.ToUpper(hex.EncodeToString([]byte(s)))))
	for shift := range 3 { // where in a longer text it begins; the ends depend on what is around
		code := base64.StdEncoding.EncodeToString(append(make([]byte, shift), s...))
		code = code[4 : len(code)-4]
		list = append(list, []byte(code), []byte(strings.NewReplacer("+", "-", "/", "_").Replace(code)))
	}
	return list
}

// found returns the canaries that lie in b in any disguise.
func found(b []byte) map[string]bool {
	list := make(map[string]bool)
	for _, c := range canaries {
		for _, d := range disguises(c) {
			if bytes.Contains(b, d) {
				list[c] = true
			}
		}
	}
	return list
}

// foundIn returns those in any file below a folder.
func foundIn(t *testing.T, dir string) map[string]bool {
	t.Helper()
	list := make(map[string]bool)
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		for c := range found(b) {
			list[c] = true
		}
		for c := range found([]byte(path)) {
			list[c] = true
		}
		return err
	})
	must(t, err)
	if files == 0 {
		t.Fatal("there are no files to search")
	}
	return list
}

// listener gathers what one node says.
type listener struct {
	mu     sync.Mutex
	frames [][]byte
	said   []said
}

// said is one message before it is sealed for the connection.
type said struct {
	to      wire.DeviceID
	channel [32]byte
	payload []byte
}

func (l *listener) frame(b []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frames = append(l.frames, bytes.Clone(b))
}

func (l *listener) message(to wire.DeviceID, channel [32]byte, payload []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said = append(l.said, said{to, channel, bytes.Clone(payload)})
}

func (l *listener) all() (frames [][]byte, messages []said) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.frames, l.said
}

// secretStory is some use of two nodes, with all canaries in it; it returns Ann's
// home as it is while her node still runs, as kill -9 would leave it, and after.
func secretStory(t *testing.T, heard *listener, plain bool) (running, closed string) {
	cfg := node.Config{Home: t.TempDir(), Tap: heard.frame, TapMessage: heard.message, Plain: plain}
	ann := startWith(t, annName, cfg)
	ben := startWith(t, benName, node.Config{Home: t.TempDir(), Tap: heard.frame, TapMessage: heard.message, Plain: plain})
	befriend(t, ann, ben)
	g := together(t, tripTitle, ann, ben)
	ann.say(g, tripText)
	ben.sees(g, tripText)
	ben.say(g, tripReply)
	ann.sees(g, tripText, tripReply)
	d := ann.chatWith(ben)
	ben.say(d, pairText)
	ann.sees(d, pairText)
	ann.say(ann.Status().Notes, notesText)
	ben.until("Ann's name", func() bool { f, err := ben.Friend(ann.id()); return err == nil && f.Person.Name == annName })
	running = t.TempDir()
	must(t, os.CopyFS(running, os.DirFS(ann.home)))
	ann.stop()
	return running, ann.home
}

// TestSecrecy: neither texts, names nor titles lie readable in a file of the home
// or in what is handed to a link. The same search finds all of them with
// encryption off.
func TestSecrecy(t *testing.T) {
	heard := new(listener)
	running, closed := secretStory(t, heard, false)
	for _, dir := range []string{running, closed} {
		if list := foundIn(t, dir); len(list) > 0 {
			t.Errorf("readable on disk: %v", list)
		}
	}
	frames, messages := heard.all()
	if list := found(bytes.Join(frames, nil)); len(list) > 0 {
		t.Errorf("readable in %d frames: %v", len(frames), list)
	}
	// What people wrote is not even readable in what the sessions carry.
	list := make(map[string]bool)
	for _, m := range messages {
		for c := range found(m.payload) {
			list[c] = true
		}
	}
	for _, c := range []string{tripText, tripReply, pairText, notesText} {
		if list[c] {
			t.Errorf("a message carries %q", c)
		}
	}
	for _, c := range []string{annName, benName, tripTitle} {
		if !list[c] {
			t.Errorf("before it is sealed, no message carries %q: the search proves nothing", c)
		}
	}
	t.Logf("searched %d frames and %d messages", len(frames), len(messages))

	running, closed = secretStory(t, new(listener), true)
	for _, dir := range []string{running, closed} {
		list := foundIn(t, dir)
		for _, c := range canaries {
			if !list[c] {
				t.Errorf("with encryption off the search does not find %q", c)
			}
		}
	}
}
