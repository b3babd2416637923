package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by -ldflags "-X main.version=..."; see the Makefile.
var version string

// programVersion falls back to what the Go tool noted while building.
func programVersion() string {
	if version != "" {
		return version
	}
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" {
		return b.Main.Version
	}
	return "unknown"
}

// versionLine is what version prints with --json.
type versionLine struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	System  string `json:"system"`
}

func (p *program) versionVerb() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say which version this is",
		Args:  words(0, 0),
		RunE: func(*cobra.Command, []string) error {
			v := versionLine{programVersion(), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
			if !p.showValue(v) {
				p.printf("kith %s (%s, %s)", v.Version, v.Go, v.System)
			}
			return nil
		},
	}
}
