namespace Meanwhile.Mqtt.Bench;

/// <summary>A folder on the disk that is measured, as long as it is used.</summary>
internal sealed class Folder : IDisposable
{
    /// <summary>Where it is.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("mqtt-bench").FullName;

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Path, recursive: true);
}
