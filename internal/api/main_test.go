package api_test

import (
	"os"
	"testing"

	"kith/internal/store"
)

func TestMain(m *testing.M) {
	store.UseSmallVaults()
	os.Exit(m.Run())
}
