using System.IO.Compression;
using Hosting.HostAgent.Engine;
using Hosting.HostAgent.Tests.Real;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hosting.HostAgent.Tests.Engine;

public sealed class ImageTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("images-").FullName;

    [Theory]
    [InlineData("hello", "docker.io", "library/hello", "latest")]
    [InlineData("team/hello:2", "docker.io", "team/hello", "2")]
    [InlineData("reg.example.com/hello", "reg.example.com", "hello", "latest")]
    [InlineData("localhost:5000/a/b:1.2", "localhost:5000", "a/b", "1.2")]
    [InlineData("hello@sha256:abc", "docker.io", "library/hello", "sha256:abc")]
    public void Short_names_are_made_complete(string text, string registry, string repository, string tag) =>
        Assert.Equal(new ImageReference(registry, repository, tag), ImageReference.Parse(text));

    [Fact]
    public void An_image_is_found_by_any_of_its_names_also_in_a_compressed_archive()
    {
        BusyboxImage.Write(Path.Combine(_directory, "one.tar"), "web:1", "web:latest");
        var raw = Path.Combine(_directory, "two");
        BusyboxImage.Write(raw, "zipped:1");
        using (var zip = new GZipStream(File.Create(Path.Combine(_directory, "two.tar.gz")), CompressionLevel.Fastest))
            zip.Write(File.ReadAllBytes(raw));
        File.WriteAllText(Path.Combine(_directory, "junk.tar"), "no archive");
        var archives = new ImageArchives(_directory, NullLogger.Instance);
        Assert.EndsWith("one.tar", archives.Find("web"));
        Assert.EndsWith("one.tar", archives.Find("docker.io/library/web:1"));
        Assert.EndsWith("two.tar.gz", archives.Find("zipped:1"));
        Assert.Null(archives.Find("web:2"));
    }

    [Fact]
    public void An_archive_that_was_replaced_is_read_again()
    {
        var path = Path.Combine(_directory, "web.tar");
        BusyboxImage.Write(path, "web:1");
        var archives = new ImageArchives(_directory, NullLogger.Instance);
        Assert.NotNull(archives.Find("web:1"));
        BusyboxImage.Write(path, "web:2");
        File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch);
        Assert.Null(archives.Find("web:1"));
        Assert.NotNull(archives.Find("web:2"));
    }

    [Fact]
    public void Without_a_directory_there_is_none()
    {
        Assert.Null(new ImageArchives(null, NullLogger.Instance).Find("web"));
        Assert.Null(new ImageArchives(Path.Combine(_directory, "no"), NullLogger.Instance).Find("web"));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
