// Package web holds the page that the node serves, as npm built it into dist.
//
// Before the first build dist holds only .gitkeep, so that the program builds
// without npm; the page is then missing and package api says so.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files is the built page, index.html at its root.
func Files() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic("web: " + err.Error()) // "dist" is a valid path, whatever it holds
	}
	return files
}
