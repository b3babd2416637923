package link

import (
	"context"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The kernel tells of an interface that comes up and of an address that is replaced:
// nobody looks every few seconds. The network is one of the thread that runs the
// test, which ends with it.
func TestFollowNetwork(t *testing.T) {
	runtime.LockOSThread() // for good: the thread must not serve others any more
	if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
		t.Skipf("no network namespaces here (needs root): %v", err)
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("no network namespaces here: iproute2 is not installed")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // far below watchRarely
	defer cancel()
	steps := []string{
		"link set lo up",
		"address add 192.0.2.1/24 dev lo",
		"address del 192.0.2.1/24 dev lo",
		"address add 2001:db8::1/64 dev lo nodad",
	}
	var took []time.Duration
	began := time.Now()
	var states []string
	followNetwork(ctx, func() {
		now := strings.Join(prefixTexts(), " ")
		if len(states) > 0 && states[len(states)-1] == now {
			return // told of something else
		}
		states = append(states, now)
		took = append(took, time.Since(began).Round(time.Millisecond))
		if len(states) > len(steps) {
			cancel()
			return
		}
		step := strings.Fields(steps[len(states)-1])
		if out, err := exec.Command("ip", step...).CombinedOutput(); err != nil {
			t.Errorf("ip %v: %v: %s", step, err, out)
			cancel()
		}
		began = time.Now()
	})
	if len(states) != len(steps)+1 {
		t.Fatalf("saw %d states, want %d: %q", len(states), len(steps)+1, states)
	}
	t.Logf("told after %v", took[1:])
}

func prefixTexts() (list []string) {
	for _, p := range interfacePrefixes() {
		list = append(list, p.String())
	}
	return list
}
