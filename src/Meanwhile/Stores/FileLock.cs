using System.Text;

namespace Meanwhile.Stores;

/// <summary>Keeps a second owner away from a database file: a lock of the operating system's on a file beside it, gone with the process.</summary>
internal sealed class FileLock : IDisposable
{
    private readonly FileStream _file;
    private readonly string _holderPath;

    private FileLock(FileStream file, string holderPath) => (_file, _holderPath) = (file, holderPath);

    /// <summary>Takes the lock beside a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="owner">Who takes it, and what to do when another one has it.</param>
    /// <exception cref="UserException">Somebody else holds it; the message says who.</exception>
    public static FileLock Take(string path, FileOwner owner)
    {
        var lockPath = path + ".lock";
        try
        {
            var file = PrivateFile.Open(lockPath, FileMode.OpenOrCreate);
            NameHolder(HolderPath(path));
            return new FileLock(file, HolderPath(path));
        }
        catch (IOException e) when (File.Exists(lockPath))
        {
            throw new UserException($"{path} is in use by another {owner.Name} ({ReadHolder(HolderPath(path))}): {owner.Advice}", inner: e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"{path}: its folder cannot be written to ({e.Message}): expected a folder for the database and its lock", inner: e);
        }
    }

    /// <summary>Whether somebody has the lock beside a file at this moment.</summary>
    public static bool IsTaken(string path)
    {
        try
        {
            using (new FileStream(path + ".lock", FileMode.Open, FileAccess.Read, FileShare.None))
                return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e is not (FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException); // Whoever goes on to take it is told why not.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        File.Delete(_holderPath);
        _file.Dispose();
    }

    // Not in the locked file itself: .NET lets nobody else open that one, not even for reading.
    private static string HolderPath(string path) => path + ".holder";

    private static void NameHolder(string holderPath)
    {
        try
        {
            using var file = PrivateFile.Open(holderPath, FileMode.Create, FileShare.Read);
            file.Write(Encoding.UTF8.GetBytes($"process {Environment.ProcessId} on {Environment.MachineName}"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A full disk: the lock holds without a name.
        }
    }

    private static string ReadHolder(string holderPath)
    {
        try
        {
            return File.ReadAllText(holderPath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "unknown";
        }
    }
}

/// <summary>Who a file belongs to.</summary>
/// <param name="Name">In one word.</param>
/// <param name="Advice">What to do when another one has it.</param>
internal sealed record FileOwner(string Name, string Advice);
