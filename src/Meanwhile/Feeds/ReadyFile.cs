namespace Meanwhile.Feeds;

/// <summary>A file that exists while the program is connected and subscribed, for health checks; without a path, nothing.</summary>
internal sealed class ReadyFile
{
    private readonly string? _path;

    /// <summary>Not ready at first, whatever an earlier process has left.</summary>
    public ReadyFile(string? path)
    {
        _path = path;
        Set(false);
    }

    /// <summary>Makes the file, or removes it.</summary>
    public void Set(bool ready)
    {
        if (_path is null)
            return;
        try
        {
            if (ready)
                File.WriteAllBytes(_path, []);
            else
                File.Delete(_path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"--ready-file {_path} cannot be written ({e.Message}): expected a path in a folder that exists", inner: e);
        }
    }
}
