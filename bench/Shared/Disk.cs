using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Meanwhile.Bench;

/// <summary>What the disk itself takes for a commit, as SQLite makes one: a page more at the end of a file, and fdatasync.</summary>
internal sealed class Disk(string path) : IDisposable
{
    private readonly SafeFileHandle _file = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
    private readonly byte[] _page = new byte[4096];
    private long _end;

    /// <summary>How long fdatasync took.</summary>
    public TimeSpan Sync()
    {
        RandomAccess.Write(_file, _page, _end);
        _end += _page.Length;
        var start = TimeProvider.System.GetTimestamp();
        if (DataSync((int)_file.DangerousGetHandle()) != 0)
            throw new IOException("fdatasync fails");
        return TimeProvider.System.GetElapsedTime(start);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    [DllImport("libc", EntryPoint = "fdatasync")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int DataSync(int descriptor);
}
