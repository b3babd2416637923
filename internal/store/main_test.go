package store_test

import (
	"os"
	"testing"

	"kith/internal/store"
)

// childDir, when set, makes the test binary the program that the crash test
// kills.
const childDir = "KITH_STORE_CHILD"

func TestMain(m *testing.M) {
	store.UseSmallVaults()
	if dir := os.Getenv(childDir); dir != "" {
		commitForEver(dir)
	}
	if dir := os.Getenv(vaultDir); dir != "" {
		if os.Getenv(vaultStep) != "" {
			endAtStep(dir)
		}
		rekeyForEver(dir)
	}
	if dir := os.Getenv(vaultMemory); dir != "" {
		printMemory(dir)
	}
	os.Exit(m.Run())
}
