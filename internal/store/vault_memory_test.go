//go:build linux

package store_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"kith/internal/store"
)

// vaultMemory, when set, makes the test binary one that opens a vault as people
// have it, and prints its memory.
const vaultMemory = "KITH_STORE_VAULT_MEMORY"

// printMemory is the child: KiB resident before, after and at most.
func printMemory(dir string) {
	store.UseRealVaults()
	before := memory("VmRSS")
	if _, err := store.OpenVault(dir, horse); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(before, memory("VmRSS"), memory("VmHWM"))
	os.Exit(0)
}

// memory is a line of /proc/self/status, in KiB.
func memory(name string) (kib int) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			if _, err := fmt.Sscan(rest, &kib); err != nil {
				panic(err)
			}
		}
	}
	return kib
}

// TestVaultGivesMemoryBack: the 256 MiB of a derivation do not stay.
func TestVaultGivesMemoryBack(t *testing.T) {
	child := exec.Command(os.Args[0])
	dir := t.TempDir()
	child.Env = append(os.Environ(), vaultMemory+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.Output()
	must(t, err)
	if size := len(vaultText(t, dir)); size != 370 {
		t.Errorf("the vault has %d bytes, docs/spec/store.md says 370", size)
	}
	var before, after, most int
	_, err = fmt.Sscan(string(out), &before, &after, &most)
	must(t, err)
	t.Logf("resident: %d KiB before, %d after, %d at most", before, after, most)
	if most < 256<<10 {
		t.Errorf("at most %d KiB: the derivation was not what people have", most)
	}
	if after-before > 24<<10 {
		t.Errorf("%d KiB stay after a derivation", after-before)
	}
}

// BenchmarkUnlock is what people wait for when they type their passphrase.
func BenchmarkUnlock(b *testing.B) {
	b.Cleanup(store.UseRealVaults())
	dir := b.TempDir()
	if _, err := store.OpenVault(dir, horse); err != nil {
		b.Fatal(err)
	}
	used := cpu(b)
	for b.Loop() {
		if _, err := store.OpenVault(dir, horse); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpu(b)-used).Milliseconds())/float64(b.N), "cpu-ms/op")
}

// cpu is what this process has used of processors.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
