package mailbox_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"kith/internal/identity"
	"kith/internal/mailbox"
)

// childDir, when set, makes the test binary the mailbox that TestKilled kills.
const childDir = "KITH_MAILBOX_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		err := mailbox.ServeFolder(context.Background(), mailbox.FolderConfig{
			Dir: dir, Listen: "127.0.0.1:0", Ready: func(box string, _ mailbox.Status) { fmt.Println(box) },
		})
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// TestKilled kills a mailbox in the midst of puts and deletes, again and again: what was
// acknowledged is there, once, in order, and what was deleted does not come back.
func TestKilled(t *testing.T) {
	dir, k, pair := t.TempDir(), keys(1, true), keys(2, false)
	acknowledged, deleted := uint64(0), uint64(0)
	for round := range 5 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childDir+"="+dir)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		must(t, err)
		must(t, child.Start())
		text, err := bufio.NewReader(out).ReadString('\n')
		must(t, err)
		box, err := identity.ParseBox(strings.TrimSpace(text))
		must(t, err)

		// Over TCP the system tells of the kill at once, over QUIC silence does, after 6 s.
		box.Hosts = slices.DeleteFunc(box.Hosts, func(h string) bool { return !strings.Contains(h, "/tcp/") })
		c, err := mailbox.Dial(t.Context(), openDirect, box)
		must(t, err)
		checkKept(t, c, k, acknowledged, round)
		if p, err := c.Fetch(t.Context(), pair, 0); err == nil && len(p.Items) > 0 && p.Items[0].Position <= deleted {
			t.Errorf("round %d: position %d came back, %d was deleted", round, p.Items[0].Position, deleted)
		} else if err != nil && (round > 0 || !errors.Is(err, mailbox.ErrRefused)) {
			t.Error(err)
		}
		for _, drop := range []mailbox.Keys{k, pair} {
			_, err := c.Make(t.Context(), drop, 24)
			must(t, err)
		}
		kill := time.AfterFunc(time.Duration(20+rand.IntN(150))*time.Millisecond, func() { child.Process.Kill() })
		for {
			last, err := c.Put(t.Context(), k, small(int(acknowledged)+1))
			if err != nil {
				break
			}
			if last < acknowledged+1 || last > acknowledged+2 { // the put that a kill interrupted may be stored
				t.Fatalf("round %d: position %d after %d", round, last, acknowledged)
			}
			acknowledged = last
			if acknowledged%5 == 0 {
				if last, err = c.Put(t.Context(), pair, small(1)); err == nil && c.Delete(t.Context(), pair, last) == nil {
					deleted = last
				}
			}
		}
		child.Wait() // "signal: killed" is what we wanted
		kill.Stop()
		c.Close()
	}
	if acknowledged < 10 {
		t.Errorf("only %d puts", acknowledged)
	}
	t.Logf("%d puts acknowledged, killed 5 times", acknowledged)
}

// checkKept reads all of the drop: positions without a gap up to at least the last
// acknowledged one.
func checkKept(t *testing.T, c *mailbox.Client, k mailbox.Keys, acknowledged uint64, round int) {
	t.Helper()
	var cur mailbox.Cursor
	for more := round > 0; more; {
		p, err := c.Fetch(t.Context(), k, cur.After)
		must(t, err)
		taken := cur.Take(p, true)
		if taken.Back {
			t.Fatalf("round %d: the drop went back", round)
		}
		more = p.More
	}
	if cur.Missing > 0 || cur.After < acknowledged || cur.After > acknowledged+1 {
		t.Errorf("round %d: read to %d with %d missing, %d were acknowledged", round, cur.After, cur.Missing, acknowledged)
	}
}
