import FXCore
import Foundation

/// Files that a command is to write.
enum OutputFile {
  /// Looks before long work whether a file can be written to a path.
  /// - Throws: `FileError` if the path is a folder, or the folder it is in is not there or may not be written to.
  static func check(_ path: String) throws(FileError) {
    if FileManager.isFolder(path) { throw FileError(path: path, operation: .write, code: EISDIR) }
    let parent = (path as NSString).deletingLastPathComponent
    let folder = parent.isEmpty ? "." : parent
    if access(folder, W_OK) != 0 { throw FileError(path: path, operation: .create, code: errno) }
    if !FileManager.isFolder(folder) { throw FileError(path: path, operation: .create, code: ENOTDIR) }
  }
}

extension FileManager {
  /// Whether there is a folder at a path, or a link to one.
  static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }
}
