using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;

namespace Hosting.HostAgent.Engine;

/// <summary>Archives made by <c>docker save</c> in one directory, found by the names in their manifests.</summary>
internal sealed class ImageArchives(string? directory, ILogger log)
{
    private const int MaxManifestBytes = 1024 * 1024;
    private static readonly string[] Patterns = ["*.tar", "*.tar.gz", "*.tgz"];
    private readonly Dictionary<string, (DateTime Written, long Length, IReadOnlyList<ImageReference> Images)> _known = [];
    private readonly Lock _lock = new();

    /// <summary>Path of the archive that holds the image, the newest one when there are several; null when none does.</summary>
    public string? Find(string image)
    {
        if (directory is null || !Directory.Exists(directory))
            return null;
        var wanted = ImageReference.Parse(image);
        lock (_lock)
        {
            return Patterns.SelectMany(pattern => new DirectoryInfo(directory).GetFiles(pattern))
                .OrderByDescending(file => file.LastWriteTimeUtc)
                .FirstOrDefault(file => Images(file).Contains(wanted))?.FullName;
        }
    }

    /// <summary>Names of the images in an archive.</summary>
    /// <exception cref="InvalidDataException">It is no archive of images.</exception>
    public static IReadOnlyList<ImageReference> ReadManifest(Stream archive)
    {
        using var tar = new TarReader(archive, leaveOpen: true);
        while (tar.GetNextEntry() is { } entry)
        {
            if (entry.Name.TrimStart('.', '/') != "manifest.json" || entry.DataStream is not { } data)
                continue;
            if (entry.Length > MaxManifestBytes)
                throw new InvalidDataException("its manifest.json is too large");
            using var manifest = JsonDocument.Parse(data);
            return [.. manifest.RootElement.EnumerateArray().SelectMany(Tags)];
        }

        throw new InvalidDataException("it has no manifest.json");
    }

    private static IEnumerable<ImageReference> Tags(JsonElement image) =>
        image.TryGetProperty("RepoTags", out var tags) && tags.ValueKind == JsonValueKind.Array
            ? tags.EnumerateArray().Select(tag => ImageReference.Parse(tag.GetString() ?? "")).ToList() : [];

    private IReadOnlyList<ImageReference> Images(FileInfo file)
    {
        if (_known.TryGetValue(file.FullName, out var known) && known.Written == file.LastWriteTimeUtc && known.Length == file.Length)
            return known.Images;
        var images = Read(file);
        _known[file.FullName] = (file.LastWriteTimeUtc, file.Length, images);
        return images;
    }

    private IReadOnlyList<ImageReference> Read(FileInfo file)
    {
        try
        {
            using var stream = file.OpenRead();
            if (file.Extension == ".tar")
                return ReadManifest(stream);
            using var unzipped = new GZipStream(stream, CompressionMode.Decompress);
            return ReadManifest(unzipped);
        }
        catch (Exception error) when (error is IOException or InvalidDataException or JsonException or InvalidOperationException or UnauthorizedAccessException)
        {
            log.LogWarning("{File} is not used, as it is no archive of images: {Reason}", file.FullName, error.Message);
            return [];
        }
    }
}
