//go:build race

package node_test

// raceDetector says that this run takes many times as long.
const raceDetector = true
