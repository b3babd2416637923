package api_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"connectrpc.com/connect"

	v1 "kith/proto/kith/v1"
	"kith/proto/kith/v1/kithv1connect"
)

// listener reads one stream in the background.
type listener struct {
	t      *testing.T
	cancel context.CancelFunc
	events chan *v1.Event
	end    chan error
}

func subscribe(t *testing.T, client kithv1connect.KithServiceClient, after uint64, run string) *listener {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	l := &listener{t: t, cancel: cancel, events: make(chan *v1.Event, 10_000), end: make(chan error, 1)}
	stream, err := client.Subscribe(ctx, &v1.SubscribeRequest{After: after, Run: run})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	go func() {
		for stream.Receive() {
			l.events <- stream.Msg()
		}
		l.end <- stream.Err()
		close(l.events)
		stream.Close()
	}()
	t.Cleanup(cancel)
	return l
}

// next returns the next event.
func (l *listener) next() *v1.Event {
	l.t.Helper()
	e, ok := <-l.events
	if !ok {
		l.t.Fatalf("the stream ended: %v", <-l.end)
	}
	return e
}

// until reads up to the first event that is wanted.
func (l *listener) until(wanted func(*v1.Event) bool) *v1.Event {
	l.t.Helper()
	for {
		if e := l.next(); wanted(e) {
			return e
		}
	}
}

func withText(text string) func(*v1.Event) bool {
	return func(e *v1.Event) bool { return e.GetMessage().GetText() == text }
}

func say(t *testing.T, h *house, text string) *v1.Message {
	t.Helper()
	m, err := h.socket.Send(t.Context(), &v1.SendRequest{Chat: "Notes to self", Text: text})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestStreamBeginsEmpty(t *testing.T) {
	h := move(t, "Ann")
	client, _ := h.login()
	l := subscribe(t, client, 0, "")
	first := l.next()
	if first.Change != nil || first.Run == "" {
		t.Errorf("first event %v", first)
	}
	say(t, h, "one")
	e := l.until(withText("one"))
	if e.Seq <= first.Seq || e.Run != first.Run {
		t.Errorf("event %v after %v", e, first)
	}
	m := e.GetMessage()
	if m.Author.GetName() != "Ann" || !m.Author.GetMe() || m.State != v1.MessageState_MESSAGE_STATE_SHOWN || m.Cursor == "" {
		t.Errorf("message %v", m)
	}
	chat := l.until(func(e *v1.Event) bool { return e.GetChat() != nil }).GetChat()
	if chat.Newest.GetText() != "one" || chat.Kind != v1.ChatKind_CHAT_KIND_NOTES || chat.Title != "Notes to self" {
		t.Errorf("chat %v", chat)
	}
}

func TestStreamResumes(t *testing.T) {
	h := move(t, "Ann")
	l := subscribe(t, h.socket, 0, "")
	l.next()
	say(t, h, "one")
	last := l.until(withText("one"))
	l.cancel()
	for _, text := range []string{"two", "three", "four"} {
		say(t, h, text)
	}

	again := subscribe(t, h.socket, last.Seq, last.Run)
	first := again.next()
	if first.Change != nil || first.Seq != last.Seq || first.Run != last.Run {
		t.Errorf("first event %v", first)
	}
	var texts []string
	seq := last.Seq
	for len(texts) < 3 {
		e := again.next()
		if e.Seq < seq {
			t.Errorf("event %d after %d", e.Seq, seq)
		}
		seq = e.Seq
		if m := e.GetMessage(); m != nil && (len(texts) == 0 || texts[len(texts)-1] != m.Text) {
			texts = append(texts, m.Text)
		}
	}
	if strings.Join(texts, " ") != "two three four" {
		t.Errorf("resumed with %q", texts)
	}
}

// TestStreamStale: a place of another run, or one that is not there, begins with
// a reset.
func TestStreamStale(t *testing.T) {
	h := move(t, "Ann")
	l := subscribe(t, h.socket, 7, "another")
	if e := l.next(); e.Change != nil || e.Run == "another" {
		t.Errorf("first event %v", e)
	}
	reset := l.next()
	if !reset.GetReset_() {
		t.Errorf("second event %v", reset)
	}
	say(t, h, "after")
	l.until(withText("after"))

	beyond := subscribe(t, h.socket, reset.Seq+1000, reset.Run)
	beyond.next()
	if e := beyond.next(); !e.GetReset_() {
		t.Errorf("beyond the newest: %v", e)
	}
}

func TestStreamEndsWithNode(t *testing.T) {
	h := move(t, "Ann")
	l := subscribe(t, h.socket, 0, "")
	l.next()
	h.stop()
	for range l.events {
	}
	err := <-l.end
	if connect.CodeOf(err) != connect.CodeUnavailable {
		t.Errorf("the stream ended with %v", err)
	}
}

// TestStreamSlow: whoever does not read holds up neither the node, nor others,
// nor its end.
func TestStreamSlow(t *testing.T) {
	h := move(t, "Ann")
	_, token := h.login()
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.server.Address(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	host := strings.TrimPrefix(h.server.Address(), "http://")
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/connect+json\r\nContent-Length: 7\r\n\r\n\x00\x00\x00\x00\x02{}",
		kithv1connect.KithServiceSubscribeProcedure, host, token)
	slow := bufio.NewReader(conn)
	if line, err := slow.ReadString('\n'); err != nil || !strings.Contains(line, "200") {
		t.Fatalf("%q, %v", line, err)
	}

	quick := subscribe(t, h.socket, 0, "")
	quick.next()
	const many = 400 // of 60 KiB: more than all buffers between take
	long := strings.Repeat("x", 60<<10)
	for i := range many {
		say(t, h, fmt.Sprintf("%d %s", i, long))
	}
	for i := range many {
		quick.until(withText(fmt.Sprintf("%d %s", i, long)))
	}
	h.stop() // with the slow one still stuck; it is cut off

	n, err := io.Copy(io.Discard, slow)
	if err != nil && n == 0 {
		t.Errorf("the slow stream got %d bytes: %v", n, err)
	}
}
