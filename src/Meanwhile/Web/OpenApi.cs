namespace Meanwhile.Web;

/// <summary>The description of the API, kept by hand; a test holds it to the routes.</summary>
internal static class OpenApi
{
    public static Route Route { get; } = new("/openapi.json", [], static context => Json.SendAsync(context, "application/json", Document));

    private static readonly byte[] Document = Read();

    private static byte[] Read()
    {
        using var resource = typeof(OpenApi).Assembly.GetManifestResourceStream("openapi.json")!;
        var document = new byte[resource.Length];
        resource.ReadExactly(document);
        return document;
    }
}
