using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Hosting.HostAgent.Tests.Real;

/// <summary>An archive as `docker save` writes it, made of the system's static busybox: the tests need no registry.</summary>
public static class BusyboxImage
{
    public static void Write(string path, params string[] tags)
    {
        var layer = Layer();
        var config = Config(Convert.ToHexStringLower(SHA256.HashData(layer)));
        using var file = File.Create(path);
        using var tar = new TarWriter(file, TarEntryFormat.Ustar);
        var configName = Convert.ToHexStringLower(SHA256.HashData(config)) + ".json";
        Add(tar, "layer/layer.tar", layer);
        Add(tar, configName, config);
        Add(tar, "manifest.json", JsonSerializer.SerializeToUtf8Bytes(new[] { new { Config = configName, RepoTags = tags, Layers = new[] { "layer/layer.tar" } } }));
    }

    private static byte[] Layer()
    {
        using var memory = new MemoryStream();
        using (var tar = new TarWriter(memory, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var directory in new[] { "bin/", "www/", "tmp/" })
                tar.WriteEntry(new UstarTarEntry(TarEntryType.Directory, directory) { Mode = (UnixFileMode)0b111_101_101 });
            Add(tar, "bin/busybox", File.ReadAllBytes("/bin/busybox"), (UnixFileMode)0b111_101_101);
            foreach (var tool in new[] { "sh", "httpd", "sleep", "cat" })
                tar.WriteEntry(new UstarTarEntry(TarEntryType.SymbolicLink, $"bin/{tool}") { LinkName = "busybox" });
            Add(tar, "www/index.html", Encoding.ASCII.GetBytes("hello\n"));
        }

        return memory.ToArray();
    }

    private static byte[] Config(string layer) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        architecture = System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64",
        os = "linux",
        config = new { Env = new[] { "PATH=/bin" }, Entrypoint = new[] { "/bin/httpd" }, Cmd = new[] { "-f", "-p", "8080", "-h", "/www" } },
        rootfs = new { type = "layers", diff_ids = new[] { $"sha256:{layer}" } },
        history = new[] { new { created = "2024-01-01T00:00:00Z", created_by = "tests" } },
    });

    private static void Add(TarWriter tar, string name, byte[] content, UnixFileMode mode = (UnixFileMode)0b110_100_100) =>
        tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { Mode = mode, DataStream = new MemoryStream(content) });
}
