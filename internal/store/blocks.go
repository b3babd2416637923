package store

import (
	"sync"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
	"github.com/ncruces/go-sqlite3/vfs/adiantum"
)

// Names of our file systems in the engine's list.
const (
	vfsEncrypted = "kith"
	vfsPlain     = "kith-plain"
)

// registerVFS puts them there, once.
var registerVFS = sync.OnceFunc(func() {
	vfs.Register(vfsEncrypted, encrypted(vfs.Find("")))
	vfs.Register(vfsPlain, blockVFS{vfs.Find(""), 1})
})

// encrypted is base with every file encrypted in blocks of a page.
func encrypted(base vfs.VFS) vfs.VFS {
	return adiantum.Wrap(blockVFS{base, pageSize}, nil)
}

// blockVFS lies between the cipher and the disk and puts three things right:
//
//   - A block is read and written in turns. The frames of the log do not end
//     with a block, so a commit rewrites the block in which the frame before
//     it ends, all of it, because the cipher is as wide as a block; a reader
//     beside it could get one half as it was and one as it is, which decrypts
//     to noise. No system promises that a read and a write exclude each other.
//   - Files seem to end with their last whole block. A block that a crash cut
//     off cannot be decrypted; SQLite, which sees the size of the file, would
//     expect to read it and refuse the whole log.
//   - A full disk is reported as one. The engine's own file system looks for
//     the system's error without unwrapping it, and reports a broken disk.
type blockVFS struct {
	vfs.VFS
	block int64 // bytes
}

// OpenFilename implements vfs.VFSFilename.
func (v blockVFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	f, flags, err := vfsutil.WrapOpenFilename(v.VFS, name, flags)
	if err != nil {
		return nil, flags, full(err)
	}
	return &blockFile{f, v.block}, flags, nil
}

type blockFile struct {
	vfs.File
	block int64
}

func (f *blockFile) Size() (int64, error) {
	n, err := f.File.Size()
	return n - n%f.block, err
}

// turns holds a lock for every block; blocks whose number leaves the same
// remainder, of whichever file, share one. No other process has the files open.
var turns [64]sync.RWMutex

// turn returns the lock of the block at an offset.
func (f *blockFile) turn(at int64) *sync.RWMutex { return &turns[at/f.block%int64(len(turns))] }

// ReadAt reads within one block, as the cipher does.
func (f *blockFile) ReadAt(b []byte, at int64) (int, error) {
	turn := f.turn(at)
	turn.RLock()
	defer turn.RUnlock()
	return f.File.ReadAt(b, at)
}

// WriteAt writes within one block, as the cipher does.
func (f *blockFile) WriteAt(b []byte, at int64) (int, error) {
	turn := f.turn(at)
	turn.Lock()
	defer turn.Unlock()
	n, err := f.File.WriteAt(b, at)
	return n, full(err)
}

func (f *blockFile) Truncate(size int64) error { return full(f.File.Truncate(size)) }

func (f *blockFile) Sync(flags vfs.SyncFlag) error { return full(f.File.Sync(flags)) }

// DeviceCharacteristics hides the atomic batches of F2FS: they only serve the
// rollback journal, and their methods are not passed on.
func (f *blockFile) DeviceCharacteristics() vfs.DeviceCharacteristic {
	return f.File.DeviceCharacteristics() &^ vfs.IOCAP_BATCH_ATOMIC
}

// The rest of what the engine may ask of a file.

func (f *blockFile) Unwrap() vfs.File               { return f.File }
func (f *blockFile) SharedMemory() vfs.SharedMemory { return vfsutil.WrapSharedMemory(f.File) }
func (f *blockFile) LockState() vfs.LockLevel       { return vfsutil.WrapLockState(f.File) }
func (f *blockFile) SizeHint(size int64) error      { return full(vfsutil.WrapSizeHint(f.File, size)) }
func (f *blockFile) HasMoved() (bool, error)        { return vfsutil.WrapHasMoved(f.File) }
func (f *blockFile) PersistWAL() bool               { return vfsutil.WrapPersistWAL(f.File) }
func (f *blockFile) SetPersistWAL(keep bool)        { vfsutil.WrapSetPersistWAL(f.File, keep) }
func (f *blockFile) PowersafeOverwrite() bool       { return vfsutil.WrapPowersafeOverwrite(f.File) }

func (f *blockFile) SetPowersafeOverwrite(safe bool) { vfsutil.WrapSetPowersafeOverwrite(f.File, safe) }

// full gives a refusal for want of space the engine's code for it.
func full(err error) error {
	if err != nil && fullDisk(err) {
		return vfs.SystemError(err, sqlite3.FULL)
	}
	return err
}
