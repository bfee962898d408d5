#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Folders that files are written to.
package enum Folder {
  /// Makes a folder, and those above it, where they are not there yet.
  /// - Throws: `FileError` with the path that could not be made.
  package static func make(_ path: String) throws(FileError) {
    if mkdir(path, 0o777) == 0 { return }
    var code = errno
    if code == ENOENT, let end = path.lastIndex(of: "/"), end != path.startIndex {
      try make(String(path[..<end]))
      if mkdir(path, 0o777) == 0 { return }
      code = errno
    }
    // What is there already is as good, a link to a folder and one that another process has just made included.
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw FileError(path: path, operation: .create, code: code)
    }
  }
}
