package store_test

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"kith/internal/store"
)

// vaultDir, when set, makes the test binary the program that TestVaultKilled kills.
const vaultDir = "KITH_STORE_VAULT_CHILD"

// vaultStep is the environment with the number of the stage that such a program
// does, and of the step at which it ends.
const vaultStep = "KITH_STORE_VAULT_STEP"

// stages are what a home goes through again and again: what is done, and the
// passphrase that opens it then, nil where a key file does.
func stages(dir string) []stage {
	return []stage{
		{func() error { return store.SetPassphrase(dir, horse) }, horse},
		{func() error { return store.ChangePassphrase(dir, horse, staple) }, staple},
		{func() error { return store.SetDuress(dir, staple, river) }, staple},
		{func() error { return store.ChangePassphrase(dir, staple, horse) }, horse},
		{func() error { return store.RemoveDuress(dir, horse) }, horse},
		{func() error { return store.RemovePassphrase(dir, horse) }, nil},
	}
}

type stage struct {
	do    func() error
	opens []byte
}

// keyBy opens dir as a program does that is started on it with passphrase.
func keyBy(dir string, passphrase []byte) (store.Key, error) {
	if has, err := store.HasVault(dir); has || err != nil {
		return store.OpenVault(dir, passphrase)
	}
	return store.OpenKeyFile(filepath.Join(dir, store.KeyName))
}

// rekeyForEver is the child: it goes through the stages, from the one that dir is
// in, and prints the number of each that is done.
func rekeyForEver(dir string) {
	err := func() error {
		list := stages(dir)
		now := len(list) - 1 // a key file
		if has, err := store.HasVault(dir); err != nil {
			return err
		} else if has {
			for i, s := range list {
				if _, err := store.OpenVault(dir, s.opens); s.opens != nil && err == nil {
					now = i
					break
				}
			}
		}
		for i := now + 1; ; i++ {
			if err := list[i%len(list)].do(); err != nil {
				return fmt.Errorf("stage %d: %w", i%len(list), err)
			}
			if _, err := fmt.Println(i % len(list)); err != nil {
				return err
			}
		}
	}()
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// endAtStep is the child: it does one stage, and ends at a step of it as if it were
// killed there. Where there are fewer steps it says so.
func endAtStep(dir string) {
	var number, step int
	if _, err := fmt.Sscan(os.Getenv(vaultStep), &number, &step); err != nil {
		panic(err)
	}
	store.Stepped(func() {
		if step == 0 {
			os.Exit(1)
		}
		step--
	})
	list := append(stages(dir), wipes(dir))
	if err := list[number].do(); err != nil && !errors.Is(err, store.ErrWiped) {
		panic(err)
	}
	fmt.Println("whole")
	os.Exit(0)
}

// wipes is what a stage is that wipes dir.
func wipes(dir string) stage {
	return stage{do: func() error { _, err := store.OpenVault(dir, river); return err }}
}

// atEveryStep has check look at copies of dir in which the stage of that number
// ended at each of its steps.
func atEveryStep(t *testing.T, dir string, number int, check func(dir string, step int)) {
	t.Helper()
	for step := 0; ; step++ {
		copied := filepath.Join(t.TempDir(), "home")
		must(t, os.CopyFS(copied, os.DirFS(dir)))
		files, err := os.ReadDir(copied)
		must(t, err)
		for _, f := range files {
			must(t, os.Chmod(filepath.Join(copied, f.Name()), 0o600))
		}
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), vaultDir+"="+copied, fmt.Sprintf("%s=%d %d", vaultStep, number, step))
		child.Stderr = os.Stderr
		out, err := child.Output()
		if string(out) == "whole\n" {
			if step < 4 {
				t.Errorf("stage %d has %d steps; the test does not see them", number, step)
			}
			return
		}
		if child.ProcessState.ExitCode() != 1 {
			t.Fatalf("stage %d, step %d: %v", number, step, err)
		}
		check(copied, step)
	}
}

// TestVaultEveryStep ends a program at every step of every stage: the home opens
// as it did before, or as it should after.
func TestVaultEveryStep(t *testing.T) {
	dir, k := aHome(t)
	must(t, store.RemovePassphrase(dir, horse))
	var before []byte
	for i, s := range stages(dir) {
		atEveryStep(t, dir, i, func(dir string, step int) {
			got, err := keyBy(dir, before)
			if errors.Is(err, store.ErrWrongPassphrase) || errors.Is(err, store.ErrNoPassphrase) {
				got, err = keyBy(dir, s.opens)
			}
			if err != nil || got != k {
				t.Errorf("stage %d ended at step %d: %v, the same key: %v", i, step, err, got == k)
			}
			checkLeft(t, dir)
		})
		must(t, s.do())
		before = s.opens
	}
}

// TestWipeEveryStep ends a program at every step of a wipe: nothing opens the home.
func TestWipeEveryStep(t *testing.T) {
	dir, _ := aHome(t)
	must(t, store.SetDuress(dir, horse, river))
	atEveryStep(t, dir, len(stages(dir)), func(dir string, _ int) {
		refuses(t, dir, horse)
		refuses(t, dir, river)
	})
}

// TestVaultKilled kills a program while it sets, changes and removes
// passphrases: the home opens as it did before, or as it should after.
func TestVaultKilled(t *testing.T) {
	dir := t.TempDir()
	k, err := store.OpenKeyFile(filepath.Join(dir, store.KeyName))
	must(t, err)
	must(t, open(t, store.Config{Path: filepath.Join(dir, store.FileName), Key: k}).Close())
	list := stages(dir)
	done := len(list) - 1
	between := 0
	for range 6 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), vaultDir+"="+dir)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		must(t, err)
		must(t, child.Start())
		lines := bufio.NewScanner(out)
		for range 1 + rand.IntN(2*len(list)) {
			if !lines.Scan() {
				break
			}
			_, err := fmt.Sscan(lines.Text(), &done)
			must(t, err)
		}
		must(t, child.Process.Kill())
		for lines.Scan() { // what it said before it died counts
			_, err := fmt.Sscan(lines.Text(), &done)
			must(t, err)
		}
		child.Wait() // "signal: killed" is what we wanted
		next := list[(done+1)%len(list)]
		got, err := keyBy(dir, list[done].opens)
		if errors.Is(err, store.ErrWrongPassphrase) || errors.Is(err, store.ErrNoPassphrase) {
			between++
			got, err = keyBy(dir, next.opens)
		}
		if err != nil || got != k {
			t.Fatalf("killed after stage %d: %v, the same key: %v", done, err, got == k)
		}
		checkLeft(t, dir)
	}
	t.Logf("%d times the next stage was reached and not told", between)
}

// checkLeft looks at the files that an opening has left.
func checkLeft(t *testing.T, dir string) {
	t.Helper()
	has, err := store.HasVault(dir)
	must(t, err)
	files, err := os.ReadDir(dir)
	must(t, err)
	for _, f := range files {
		switch f.Name() {
		case store.FileName, store.FileName + ".lock", store.VaultName:
		case store.KeyName:
			if has {
				t.Error("a key file lies beside the vault that was opened")
			}
		default:
			if has {
				t.Errorf("%s is left", f.Name())
			}
		}
	}
}
