using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Meanwhile.Trials.Benchmarking;

/// <summary>What the disk itself takes for a commit, as SQLite makes one: some pages more at the end of a file, and fdatasync.</summary>
internal sealed class Disk(string path, TimeProvider time) : IDisposable
{
    private const int Page = 4096;
    private const int BytesARow = 32;
    private readonly SafeFileHandle _file = File.OpenHandle(path, FileMode.Create, FileAccess.Write, FileShare.Read, FileOptions.DeleteOnClose);
    private long _end;

    /// <summary>How long fdatasync took after so many rows.</summary>
    public TimeSpan Sync(int rows)
    {
        var bytes = new byte[((rows * BytesARow / Page) + 1) * Page];
        RandomAccess.Write(_file, bytes, _end);
        _end += bytes.Length;
        var start = time.GetTimestamp();
        if (OperatingSystem.IsWindows() || OperatingSystem.IsMacOS())
            RandomAccess.FlushToDisk(_file);
        else if (DataSync((int)_file.DangerousGetHandle()) != 0)
            throw new TrialException($"{path}: fdatasync fails");
        return time.GetElapsedTime(start);
    }

    /// <summary>The median of so many.</summary>
    public TimeSpan Median(int rows, int times) => Enumerable.Range(0, times).Select(_ => Sync(rows)).Order().ElementAt(times / 2);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    [DllImport("libc", EntryPoint = "fdatasync")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int DataSync(int descriptor);
}
