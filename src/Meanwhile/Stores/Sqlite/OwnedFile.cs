namespace Meanwhile.Stores.Sqlite;

/// <summary>Opens a SQLite file for its only owner.</summary>
internal static class OwnedFile
{
    /// <summary>Opens it, or makes it with its folders for this user alone, and keeps other owners away from it.</summary>
    /// <param name="path">The file, or a link to it.</param>
    /// <param name="owner">Who opens it.</param>
    /// <param name="open">Makes what uses it; that closes both.</param>
    /// <exception cref="StoreException">It cannot be used, or not yet.</exception>
    /// <exception cref="UserException">It has another owner, or its folder cannot be used.</exception>
    public static T Open<T>(string path, FileOwner owner, Func<Database, FileLock, T> open)
    {
        path = PrivateFile.Resolve(path);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"{path}: its folder cannot be made ({e.Message}): expected a path in a folder that can be written to", inner: e);
        }
        var fileLock = FileLock.Take(path, owner);
        Database? database = null;
        try
        {
            Make(path);
            database = new Database(path);
            return open(database, fileLock);
        }
        catch
        {
            database?.Dispose();
            fileLock.Dispose();
            throw;
        }
    }

    // SQLite would make it readable for everybody; the files that it puts beside it get the same mode as this one.
    private static void Make(string path)
    {
        if (File.Exists(path))
            return;
        try
        {
            PrivateFile.Open(path, FileMode.CreateNew).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // SQLite says why.
        }
    }
}
